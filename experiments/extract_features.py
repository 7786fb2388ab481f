r"""Features of a domain, written to a file that trains and tests like any other domain.

  python -m experiments.extract_features --domain=office_caltech/amazon --out=amazon.npz
  python -m experiments.fine_tune --target=npz:amazon.npz --backbone=identity --weights= \
    --image_size=0

By default these are the pooled features of EfficientNet-Lite0 with its ImageNet weights. `--layers`
takes stages of the network instead (stage1, stage2, ...; `features` is its output): each is
averaged over its pixels or tokens, and several are put side by side. `--pca=128` projects them on
as many principal components of the training features. `--run=DIR` takes a network of yours. What
was extracted before an interruption is kept beside the file, and the same command goes on there.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.decomposition import PCA

from experiments import command, network, outputs, problem, saved
from experiments.common import guarded
from tlda import data
from tlda.errors import UserError, nearest
from tlda.methods.averaged import Averaged
from tlda.methods.method import STAGES, stages_of
from tlda.models import backbones
from tlda.models.network import backbone_of
from tlda.training.progress import Display

# Examples in one call, and in one of the pieces that are kept while it runs.
ROWS = 32
FEATURES = 'features'
SETTINGS = {
  'domain': ('office_caltech/amazon', f'One of {", ".join(data.names())}; folder:PATH, ...'),
  'backbone': ('efficientnet_lite0', f'One of {", ".join(backbones.names())}.'),
  'weights': ('efficientnet_lite0', 'Published weights: a known name, a file, a URL.'),
  'allow_missing': (False, 'Let the file lack tensors.'),
  'run': (None, 'Folder of a finished run whose extractor to take instead.'),
  'layers': (FEATURES, f'{FEATURES}, or stages with commas: stage3,stage5.'),
  'pca': (0, 'Principal components of the training features to keep; 0 keeps the features.'),
  'image_size': (0, 'Height and width to resize images to; 0 leaves them as they are.'),
  'tokens': (128, 'Most tokens of a text.'),
  'out': (None, 'The npz file to write.'),
  'data_dir': (None, 'Folder of raw and prepared data (default: TLDA_DATA_DIR).'),
}

# From stored inputs `[batch, ...]` to features, and what the stages sow.
Look = Callable[[jax.Array], tuple[jax.Array, Any]]


def main(argv: Sequence[str]) -> int:
  """Runs the command line; returns its exit code."""
  return guarded(lambda: extract(argv))


def extract(argv: Sequence[str]) -> None:
  """Writes the features that a command line asks for.

  Args:
    argv: The command line, program name first.

  Raises:
    UserError: A name is unknown, data or weights are missing, or the file is there already.
  """
  given = command.parse(__doc__, argv, SETTINGS)
  if given is None:
    return
  parsed, _ = given
  if not parsed['out']:
    raise UserError('say where the features go: --out=FILE.npz')
  out = Path(parsed['out']).expanduser()
  if out.exists():
    raise UserError(f'{out} is there already: nothing was extracted')
  outputs.check(out, '--out')
  domain, forward = _prepared(parsed)
  width = jax.eval_shape(forward, domain.train.fetch(np.zeros(1, int))).shape[-1]
  most = min(len(domain.train), width)
  if not 0 <= parsed['pca'] <= most:
    raise UserError(f'--pca={parsed["pca"]} must be from 1 to {most}')
  parts = out.with_name(f'{out.name}.parts')
  _claim(parts, parsed, domain)
  splits = {'train': domain.train}
  splits |= {} if domain.test is domain.train else {'test': domain.test}
  found = {name: _features(split, forward, parts / name) for name, split in splits.items()}
  found.setdefault('test', found['train'])
  if parsed['pca']:
    found = _projected(found, parsed['pca'])
  _write(out, found, domain)
  shutil.rmtree(parts)
  rows, width = found['train'].shape
  print(f'{out}: {rows} + {len(domain.test)} examples, {width} features; --source=npz:{out}')


def _prepared(parsed: dict[str, Any]) -> tuple[data.Domain, Callable[[np.ndarray], jax.Array]]:
  """Returns the domain, and the function from stored inputs `[batch, ...]` to features."""
  if parsed['run']:
    run = saved.load(parsed['run'], '--run')
    domain = problem.seen_by(run, parsed['domain'], parsed['data_dir'])
    look = _trained(run, domain.name)
  else:
    names = {'source': parsed['domain'], 'target': parsed['domain'], 'init_from': None}
    parsed = {**parsed, **names}
    _, domain = problem.load(parsed)
    look = _published(parsed, domain)
  wanted = parsed['layers'].split(',')

  @jax.jit
  def forward(stored: jax.Array) -> jax.Array:
    features, sown = look(stored)
    every = {FEATURES: features, **stages_of(sown.get(STAGES, {}))}
    if unknown := [name for name in wanted if name not in every]:
      raise UserError(nearest('layer', unknown[0], every))
    pool = lambda x: x.reshape(len(x), -1, x.shape[-1]).mean(1)
    return jnp.concatenate([pool(every[name]) for name in wanted], axis=-1)

  return domain, forward


def _trained(run: saved.Saved, domain: str) -> Look:
  """Returns what the extractor of a run's first seed makes of a domain's stored inputs."""
  whole = run.variables[0]
  if isinstance(run.method, Averaged):  # It predicts by these.
    whole = {**whole, **whole['teacher']}
  own = {name: whole.get(name, {}) for name in ('params', 'batch_stats')}
  own = {name: tree['extractor'] for name, tree in own.items() if 'extractor' in tree}
  own, branch = jax.tree.map(jnp.asarray, own), run.branch(domain)
  extractor = run.method.extractor.clone(parent=None)
  return lambda stored: extractor.apply(
    own, run.preprocessing(stored), domain=branch, mutable=[STAGES]
  )


def _published(parsed: dict[str, Any], domain: data.Domain) -> Look:
  """Returns what a backbone with published weights makes of stored inputs."""
  built = backbones.network(parsed['backbone'], classes=len(domain.classes), bottleneck=0)
  backbone = backbone_of(built.extractor)
  preprocess, load = network.expected(parsed, built), network.weights(parsed, built)
  if preprocess is None or load is None:
    raise UserError('features of a network that was never trained say nothing: give --weights')
  inputs = preprocess(jnp.asarray(domain.train.fetch(np.arange(1))))
  shapes = jax.eval_shape(backbone.init, jax.random.key(0), inputs)
  variables = load({name: tree for name, tree in shapes.items() if name != STAGES})
  variables = jax.tree.map(jnp.asarray, variables)
  return lambda stored: backbone.apply(variables, preprocess(stored), mutable=[STAGES])


def _claim(parts: Path, parsed: dict[str, Any], domain: data.Domain) -> None:
  """Makes the folder of unfinished features this command's, or refuses."""
  said = {name: value for name, value in parsed.items() if name not in ('out', 'data_dir', 'pca')}
  said['data'] = [domain.train.sha256, domain.test.sha256]
  path = parts / 'of.json'
  try:
    known = json.loads(path.read_text()) if path.exists() else said
  except (OSError, ValueError):
    known = None  # Cut off, so that nobody knows whose features these are.
  if known != said:
    raise UserError(f'{parts} holds unfinished features of other flags or data: remove it first')
  outputs.write(path, said, '--out')


def _features(split: data.Split, forward: Any, parts: Path) -> np.ndarray:
  """Returns the features of a split, made or read piece by piece."""
  parts.mkdir(exist_ok=True)
  display = Display(len(split), is_first_host=True)
  pieces = []
  for start, rows, path in _pieces(split, parts):
    if not path.exists():
      inputs = split.fetch(np.concatenate([rows, np.repeat(rows[:1], ROWS - len(rows))]))
      temporary = path.with_suffix('.tmp.npy')
      np.save(temporary, np.asarray(forward(inputs), np.float32)[: len(rows)])
      temporary.replace(path)
      done = start + len(rows)
      if done % (8 * ROWS) == 0 or done == len(split):
        display.show(done, f'{parts.name} {done}/{len(split)} {100 * done // len(split)}%')
    pieces.append(np.load(path, allow_pickle=False))
  display.close()
  return np.concatenate(pieces)


def _pieces(split: data.Split, parts: Path) -> Iterator[tuple[int, np.ndarray, Path]]:
  for start in range(0, len(split), ROWS):
    rows = np.arange(start, min(start + ROWS, len(split)))
    yield start, rows, parts / f'{start}.npy'


def _projected(found: dict[str, np.ndarray], components: int) -> dict[str, np.ndarray]:
  pca = PCA(components, random_state=0).fit(found['train'])
  return {name: pca.transform(features).astype(np.float32) for name, features in found.items()}


def _write(out: Path, found: dict[str, np.ndarray], domain: data.Domain) -> None:
  arrays = {f'x_{name}': features for name, features in found.items()}
  arrays |= {'y_train': domain.train.labels, 'y_test': domain.test.labels}
  temporary = out.with_name(f'{out.name}.tmp.npz')
  try:
    np.savez(temporary, **arrays, class_names=np.array(domain.classes))
    temporary.replace(out)
  except OSError as error:
    raise UserError(f'{out} cannot be written ({error.strerror})') from error


if __name__ == '__main__':
  sys.exit(main(sys.argv))
