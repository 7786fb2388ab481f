"""Writes the files of a run that never was, as a finished run leaves them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_FINAL = {'source_only': 0.52, 'dann': 0.77, 'target_only': 0.95}
_PUBLISHED = {'source_only': 0.5225, 'dann': 0.7666, 'target_only': 0.9596}
_SHIFT = {'source_only': 2.0, 'dann': 0.4, 'target_only': 1.0}


def write_run(
  workdir: Path,
  *,
  method: str = 'dann',
  seeds: int = 3,
  class_names: Sequence[str] | None = tuple('0123456789'),
  images: tuple[np.ndarray, np.ndarray] | None = None,
  labels: tuple[np.ndarray, np.ndarray] | None = None,
  vectors: bool = False,
  points: int = 24,
  **changes: Any,
) -> Path:
  """Writes one run.

  Args:
    workdir: The folder to make.
    method: One of 'source_only', 'dann', 'target_only'.
    seeds: How many seeds.
    class_names: None for a regression: labels are numbers, and there is no confusion matrix.
    images: Images of both domains, uint8 NHWC; random ones by default.
    labels: Labels of both domains `[points]`.
    vectors: Whether examples are vectors, which are not shown.
    points: How many features of each domain.
    **changes: Keys of result.json that are to differ.

  Returns:
    `workdir`.
  """
  random = np.random.default_rng(len(method))
  (workdir / 'report').mkdir(parents=True)
  records = _records(method, seeds, random)
  result = _result(method, seeds, records, class_names)
  if class_names:
    accuracy = result['accuracy']['target_test']
    result['confusion_matrix'] = {
      'target_test': [_confusion(random, len(class_names), share) for share in accuracy]
    }
  _dump(workdir / 'config.json', _config(method, seeds))
  _dump(workdir / 'result.json', result | changes)
  lines = ''.join(json.dumps(record) + '\n' for record in records)
  (workdir / 'metrics.jsonl').write_text(lines)
  samples = _samples(method, class_names, labels, points)
  if not vectors:
    images = images or tuple(random.integers(0, 256, (12, 8, 8, 3), np.uint8) for _ in range(2))
    samples |= {'source_images': images[0], 'target_images': images[1]}
  np.savez(workdir / 'report' / 'samples.npz', **samples)
  return workdir


def _result(
  method: str, seeds: int, records: list[dict[str, Any]], class_names: Sequence[str] | None
) -> dict[str, Any]:
  evaluated = [record for record in records if 'accuracy/target_test' in record]
  oracle = np.max([record['accuracy/target_test'] for record in evaluated], axis=0)
  return {
    'experiment': 'digits',
    'method': method,
    'source': ['mnist'],
    'target': 'mnist_m',
    'protocol': 'Ganin et al. 2016',
    'seeds': list(range(seeds)),
    'steps': 8600,
    'accuracy': {
      split: evaluated[-1][f'accuracy/{split}'] for split in ('source_test', 'target_test')
    },
    'selected': {
      'source_accuracy': evaluated[-2]['accuracy/target_test'],
      'oracle': oracle.tolist(),
    },
    'seconds': 512.3,
    'examples_per_second': 2150.0,
    'data': {
      name: {
        'examples': {'train': 60000, 'test': 10000},
        'sha256': {'train': 64 * digit, 'test': 64 * 'c'},
      }
      for name, digit in (('mnist', 'a'), ('mnist_m', 'b'))
    },
    'class_names': class_names,
    'proxy_a_distance': {'before': 1.93, 'after': {'dann': 0.84}.get(method, 1.97)},
    'published': {
      'value': _PUBLISHED[method],
      'reference': 'Ganin et al. 2016, Table 2',
      'note': 'One run; the last layer retrained as a linear SVM.',
    },
  }


def _config(method: str, seeds: int) -> dict[str, Any]:
  return {
    'command': f'python -m experiments.digits --method={method} --seeds={seeds} --steps=8600',
    'commit': '0123456789abcdef0123456789abcdef01234567',
    'flags': {'batch_size': 64, 'learning_rate': 0.01, 'optimizer': 'sgd', 'method': method},
    'method': {'weight': 1.0},
    'versions': {'python': '3.13.0', 'jax': '0.12.0.1', 'flax': '0.12.12'},
    'device': '1 x cpu',
  }


def _dump(path: Path, value: Any) -> None:
  path.write_text(json.dumps(value, indent=2))


def _records(method: str, seeds: int, random: np.random.Generator) -> list[dict[str, Any]]:
  records = []
  finals = _FINAL[method] + 0.015 * random.normal(size=seeds)
  for step in range(100, 8601, 100):
    p = step / 8600
    noise = random.normal(size=(4, seeds))
    record: dict[str, Any] = {'step': step, 'loss/task': _list(0.05 + 2.2 * np.exp(-9 * p))}
    record['loss/task'] = _list((0.05 + 2.2 * np.exp(-9 * p)) * np.exp(0.15 * noise[0]))
    if method == 'dann':
      record['loss/domain'] = _list(0.62 - 0.25 * np.exp(-12 * p) + 0.02 * noise[1])
    if step % 500 == 100:
      record['accuracy/source_test'] = _list(0.988 - 0.3 * np.exp(-14 * p) + 0.001 * noise[2])
      record['accuracy/target_test'] = _list(finals - 0.3 * np.exp(-4 * p) + 0.008 * noise[3])
    record['examples_per_second'] = 2150.0
    records.append(record)
  return records


def _list(values: np.ndarray) -> list[float]:
  return np.asarray(values).tolist()


def _confusion(random: np.random.Generator, classes: int, accuracy: float) -> list[list[int]]:
  mistaken = random.dirichlet(np.full(classes, 0.3), size=classes)
  shares = accuracy * np.eye(classes) + (1 - accuracy) * mistaken
  return np.stack([random.multinomial(900, row) for row in shares]).tolist()


def _samples(
  method: str,
  class_names: Sequence[str] | None,
  labels: tuple[np.ndarray, np.ndarray] | None,
  points: int,
) -> dict[str, np.ndarray]:
  random = np.random.default_rng(0)  # the same for every method, as features before training are
  samples: dict[str, np.ndarray] = {}
  centers = random.normal(size=(100, 64))
  for place, domain in enumerate(('source', 'target')):
    if labels:
      label = labels[place]
    elif class_names:
      label = random.integers(0, len(class_names), points, np.int32)
    else:
      label = random.normal(size=points).astype(np.float32)
    noise = random.normal(size=(points, 64))
    center = centers[label] if class_names else label[:, None] * centers[0]
    before = 0.35 * center + noise + 1.5 * place
    after = 0.5 * center + noise + place * _SHIFT[method] * (0.3 * centers[99] + 0.3 * noise)
    samples[f'{domain}_labels'] = label
    samples[f'features_before_{domain}'] = before.astype(np.float32)
    samples[f'features_after_{domain}'] = after.astype(np.float32)
  return samples
