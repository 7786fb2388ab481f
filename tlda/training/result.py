"""What a finished run leaves: `result.json`, and samples for its report."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tlda.data import Split
from tlda.evaluation import selection
from tlda.evaluation.open_set import open_set_scores
from tlda.methods import Outputs
from tlda.training import apart, explained
from tlda.training.evaluate import FEWEST, Evaluator, sample_rows
from tlda.training.run import Run, unscorable
from tlda.training.state import TrainState

# Test examples of each domain that are kept for the report: those whose features are, and images.
FEATURES, IMAGES = FEWEST, 40
# Those whose logits are seen are more, as long as that costs little.
LOGITS = 2000

# What is measured besides where the target has classes that the source lacks.
OPEN_SET = ('os', 'os_star', 'unknown', 'h_score')

Samples = dict[str, np.ndarray]


class Seen(NamedTuple):
  """What the trained network says of test examples of 'source' and 'target'.

  Attributes:
    logits: `[seeds, n, classes]` of each domain.
    labels: int `[n]` of each domain.
  """

  logits: Mapping[str, np.ndarray]
  labels: Mapping[str, np.ndarray]


class _Test(NamedTuple):
  """Test examples that are sampled: which rows of a split, and its branch of normalisation."""

  split: Split
  branch: int
  rows: np.ndarray


def _tests(run: Run) -> dict[str, list[_Test]]:
  """Returns what is sampled of each domain: of several sources an equal share."""
  sources = [(source.test, branch) for branch, source in enumerate(run.sources)]
  target = [(run.target.test, run.method.spec.target_domain)]
  domains = {'source': sources, 'target': target} if sources else {'target': target}
  shape = run.method.spec.input_shape
  return {
    name: [
      _Test(split, branch, sample_rows(split, shape, LOGITS // len(splits)))
      for split, branch in splits
    ]
    for name, splits in domains.items()
  }


def _in_turns(parts: Sequence[np.ndarray], axis: int = 0) -> np.ndarray:
  """Joins arrays of several splits: the first example of each, the second of each, and so on."""
  turns = np.concatenate([np.arange(part.shape[axis]) for part in parts])
  return np.concatenate(parts, axis).take(turns.argsort(kind='stable'), axis)


def features(run: Run, evaluator: Evaluator, states: Sequence[TrainState]) -> Samples:
  """Returns the first seed's features of test examples: 'source' and 'target', float32 `[n, d]`.

  Where there are no source data, they are those of the target alone.
  """
  seen = lambda test: evaluator.outputs(states, test.split, test.branch, rows=test.rows[:FEATURES])
  return {name: _features(list(map(seen, tests))) for name, tests in _tests(run).items()}


def _features(outputs: Sequence[Outputs]) -> np.ndarray:
  joined = _in_turns([each.features for each in outputs], axis=1)
  return joined[0, :FEATURES].astype(np.float32)


def collect(
  run: Run, evaluator: Evaluator, states: Sequence[TrainState], before: Samples
) -> tuple[Samples, Seen]:
  """Returns test examples of both domains, and what the trained network says of them.

  Args:
    run: The run.
    evaluator: Of its network.
    states: Of all seeds, at the last step.
    before: As `features` returns them at step 0.

  Returns:
    The samples: `source_images`, `target_images` (uint8, only where inputs are images),
    `source_labels`, `target_labels` `[n]`, `features_before_source` and its three sisters, float32
    `[n, d]`; without source data only those of the target. And the logits of more examples, of
    which these are the first.
  """
  samples: Samples = {}
  logits, labels = {}, {}
  for name, tests in _tests(run).items():
    outputs = [evaluator.outputs(states, test.split, test.branch, rows=test.rows) for test in tests]
    logits[name] = _in_turns([each.logits for each in outputs], axis=1)
    labels[name] = _in_turns([test.split.labels[test.rows] for test in tests])
    samples[f'{name}_labels'] = labels[name][:FEATURES]
    if len(run.method.spec.input_shape) == 3:
      images = [test.split.fetch(test.rows[:IMAGES]) for test in tests]
      samples[f'{name}_images'] = _in_turns(images)[:IMAGES]
    samples[f'features_before_{name}'] = before[name]
    samples[f'features_after_{name}'] = _features(outputs)
  return samples, Seen(logits, labels)


def explain(
  run: Run,
  variables: Mapping[str, Any],
  samples: Samples,
  seen: Seen,
  say: Callable[[str], None],
) -> tuple[Samples, dict[str, Any]]:
  """Returns what the report shows besides. What fails is said and left out: no training is lost.

  Args:
    run: The run.
    variables: Of the first seed.
    samples: As `collect` returns them.
    seen: The same.
    say: Takes a line for the user.

  Returns:
    More samples (`heat_maps`), and more of the result: `proxy_a_distance`,
    `maximum_mean_discrepancy`, `sliced_wasserstein` and `joint_error`, each `before` and `after`
    training, and `error_bound`, all of the first seed, as `apart` measures them; `calibration` as
    `calibrate` returns it, {} where the source is tested on what it trains on, or the target is one
    of several sources; {} in the place of what failed. None is there without source data; the last
    two of the first five neither, where classes are unknown or a source is the target.
  """

  def tried(what: str, function: Callable[[], Any]) -> Any:
    try:
      return function()
    except Exception as error:  # Whatever it is: the training took longer.
      say(f'left out: {what} ({type(error).__name__}: {error})')
      return {}

  def maps() -> Samples:
    images, labels = samples['target_images'], seen.labels['target'][:IMAGES]
    return explained.heat_maps(run, variables, images, labels, seen.logits['target'][0, :IMAGES])

  calibrated = lambda: explained.calibrate(*_apart(run, seen))
  more = tried('heat maps', maps) if 'target_images' in samples else {}
  if not run.sources:
    return more, {}
  names = [source.name for source in run.sources]
  # Of several sources, those that are not the target cannot be told from it here.
  is_apart = run.is_held_out and (len(names) == 1 or run.target.name not in names)
  about = {
    'proxy_a_distance': tried('the proxy A-distance', lambda: apart.distances(samples)),
    'maximum_mean_discrepancy': tried('the discrepancy', lambda: apart.discrepancies(samples)),
    'sliced_wasserstein': tried('the Wasserstein distance', lambda: apart.transports(samples)),
    'calibration': tried('calibration', calibrated) if is_apart else {},
  }
  if run.method.spec.unknown or run.target.name in names:
    return more, about  # There is no joint classifier of what is unlike, or the same.
  joint = tried('the joint error', lambda: apart.joint_errors(samples))
  terms = lambda: apart.bound(*seen, about['proxy_a_distance'], joint)
  known = about['proxy_a_distance'] and joint
  bound = tried('the bound of the target error', terms) if known else {}
  return more, about | {'joint_error': joint, 'error_bound': bound}


def _apart(run: Run, seen: Seen) -> Seen:
  """Returns what was seen; of a domain that is source and target at once, a half for each."""
  if run.sources[0].name != run.target.name:
    return seen
  halves = {'source': slice(0, None, 2), 'target': slice(1, None, 2)}
  logits = {name: seen.logits[name][:, rows] for name, rows in halves.items()}
  return Seen(logits, {name: seen.labels[name][rows] for name, rows in halves.items()})


def measure(run: Run, evaluator: Evaluator, states: Sequence[TrainState]) -> dict[str, np.ndarray]:
  """Returns `METRIC/source_test` (`METRIC/NAME_test` for several) and `METRIC/target_test`.

  Without source data it is the latter alone.

  Args:
    run: The run.
    evaluator: Of its network.
    states: Of all seeds.

  Returns:
    Arrays with a leading dimension of seeds.
  """
  several = len(run.sources) > 1
  tests = {
    f'{domain.name}_test' if several else 'source_test': (domain.test, branch)
    for branch, domain in enumerate(run.sources)
  }
  tests['target_test'] = (run.target.test, run.method.spec.target_domain)
  found: dict[str, np.ndarray] = {}
  for where, (split, branch) in tests.items():
    metrics = evaluator.metrics(states, split, branch)
    found |= {f'{name}/{where}': value for name, value in metrics.items()}
  if run.method.spec.unknown:
    scores = open_set_scores(found['confusion_matrix/target_test'])
    found |= {f'{name}/target_test': value for name, value in scores.items()}
  if several:
    means = [found[f'accuracy/{domain.name}_test'] for domain in run.sources]
    found['accuracy/source_test'] = np.mean(means, axis=0)
  return found


def summarize(
  run: Run,
  config: dict[str, Any],
  measured: dict[str, np.ndarray],
  records: list[dict[str, Any]],
  seconds: float,
) -> dict[str, Any]:
  """Returns what `result.json` says of a finished run.

  Args:
    run: The run.
    config: What `config.json` holds.
    measured: Every metric at the last step, `METRIC/SPLIT` with a leading dimension of seeds.
    records: Of `metrics.jsonl`.
    seconds: The wall time of the training, all its parts together.
  """
  split_of = lambda name: name.partition('/')[2]
  metric = lambda kind: {
    split_of(name): value.tolist()
    for name, value in measured.items()
    if name.startswith(kind + '/')
  }
  accuracy = metric('accuracy')
  rates = [record['examples_per_second'] for record in records if 'examples_per_second' in record]
  return {
    'experiment': run.flags['experiment'],
    'method': run.flags['method'],
    'source': [source.name for source in run.method.spec.sources],
    'target': run.target.name,
    'protocol': run.flags['protocol'],
    'seeds': list(run.seeds),
    'steps': run.steps,
    'accuracy': accuracy,
    **{name: metric(name) for name in OPEN_SET if run.method.spec.unknown},
    'worst_source': worst_source([source.name for source in run.sources], accuracy),
    'selected': selection.select(records, unscorable(run)),
    'rank_correlation': selection.rank_correlation(records, unscorable(run)),
    'confusion_matrix': metric('confusion_matrix'),
    'class_names': list(run.target.classes),
    'seconds': round(seconds, 1),
    'examples_per_second': rates[-1] if rates else None,
    'data': run.data,
    'published': run.about.get('published'),
    'config': config,
  }


def worst_source(
  sources: Sequence[str], accuracy: Mapping[str, Sequence[float]]
) -> dict[str, list[Any]] | None:
  """Returns the source whose test examples are predicted worst, of each seed.

  Args:
    sources: Their names.
    accuracy: `NAME_test` of each to a number a seed.

  Returns:
    `name` and `accuracy`, each a list over seeds; None of a single source. The first of equals.
  """
  if len(sources) < 2:
    return None
  table = np.array([accuracy[f'{name}_test'] for name in sources])
  places = table.argmin(axis=0)
  return {'name': [sources[place] for place in places], 'accuracy': table.min(axis=0).tolist()}


def write(workdir: Path, result: dict[str, Any], samples: Samples) -> None:
  """Writes `result.json` and `report/samples.npz` into a run's folder."""
  (workdir / 'report').mkdir(exist_ok=True)
  content = io.BytesIO()
  np.savez_compressed(content, **samples)
  (workdir / 'report' / 'samples.npz').write_bytes(content.getvalue())
  write_result(workdir, result)


def write_result(workdir: Path, result: dict[str, Any]) -> None:
  """Writes `result.json` into a run's folder, whole or not at all."""
  temporary = workdir / 'result.tmp'
  temporary.write_text(json.dumps(result, indent=2) + '\n')
  temporary.replace(workdir / 'result.json')
