"""The losses of `tlda`, to be timed: `scripts/benchmark.py losses` runs them.

One process has all cases (`python -m scripts.benchmark_losses FOLDER`), each a loss and a size of
batch, `coral:64`. It leaves arguments and results in a folder for PyTorch's side to compare.
"""

import inspect
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import provenance
from scripts import _worker
from tlda import losses
from tlda.training import parallel

FEATURES, CLASSES, PROJECTIONS = 256, 31, 128
SIZES = (64, 256, 1024, 2048)


class LossBench:
  """Value and gradient of a loss in one program, as a training step has them.

  Attributes:
    about: Versions and device.
  """

  def __init__(self, loss: str, batch: int, folder: Path) -> None:
    """Draws arguments, compiles, computes all once, and leaves both in the folder."""
    given = draw(loss, batch)
    key = {name: jax.random.key(x) for name, x in given.items() if name == 'key'}
    fixed = {name: x for name, x in given.items() if isinstance(x, int) and name not in key}
    arrays = {name: jnp.asarray(x) for name, x in given.items() if isinstance(x, np.ndarray)}
    self._moved = {name: x for name, x in arrays.items() if x.dtype == jnp.float32}
    self._held = key | {name: x for name, x in arrays.items() if name not in self._moved}
    function = getattr(losses, loss)
    value = lambda moved, held: jnp.mean(function(**moved, **held, **fixed))
    self._call = jax.jit(jax.value_and_grad(value))
    result, gradients = self._call(self._moved, self._held)
    if key:  # PyTorch has no such keys: it is told what comes of this one.
      directions = jax.random.normal(key['key'], (CLASSES, PROJECTIONS), jnp.float32)
      given = {name: x for name, x in given.items() if name != 'key'} | {'directions': directions}
    folder.mkdir()
    np.savez(folder / 'given.npz', **given)
    np.savez(folder / 'found.npz', value=result, **gradients)
    self.about: dict[str, Any] = {
      'versions': provenance.versions(),
      'device': parallel.describe(),
    }

  def run(self, steps: int) -> None:
    """Computes value and gradient that often, and waits for the last."""
    for _ in range(steps):
      results = self._call(self._moved, self._held)
    jax.block_until_ready(results)

  def host_seconds(self) -> None:
    """Returns None: there is no feed."""

  def peak_bytes(self) -> None:
    """Returns None: the process has other losses too."""


def draw(loss: str, batch: int) -> dict[str, Any]:
  """Returns what a loss must be given, by the names of its arguments: arrays, or integers.

  Raises:
    KeyError: Nobody has said what an argument of this name is.
  """
  parameters = inspect.signature(getattr(losses, loss)).parameters.values()
  required = [each.name for each in parameters if each.default is each.empty]
  rng = np.random.default_rng(0)
  return {name: _draw(name, batch, rng) for name in required}


def _draw(name: str, batch: int, rng: np.random.Generator) -> Any:
  """Returns an argument: by its name, or by the last words of it."""
  normal = lambda *shape: rng.normal(size=shape).astype(np.float32)
  # Some predictions are sure: some losses are 0 where none is.
  logits = lambda: 8 * normal(batch, CLASSES)
  kinds = {
    'key': lambda: 0,
    'classes': lambda: CLASSES,
    'centroids': lambda: normal(CLASSES, FEATURES),
    'features': lambda: normal(batch, FEATURES),
    'gradients': lambda: normal(batch, FEATURES),
    'source': lambda: normal(batch, FEATURES),
    'target': lambda: normal(batch, FEATURES) + 0.5,
    'labels': lambda: rng.integers(0, CLASSES, batch, dtype=np.int32),
    'domain_logits': lambda: normal(batch),
    'logits': logits,
    'maps': lambda: normal(batch, 4, 4, CLASSES),
    'probabilities': lambda: np.asarray(jax.nn.softmax(logits())),
  }
  words = name.split('_')
  return next(
    kinds[end] for first in range(len(words)) if (end := '_'.join(words[first:])) in kinds
  )()


if __name__ == '__main__':
  FOLDER = Path(sys.argv[1])
  jax.config.update('jax_enable_compilation_cache', False)
  _worker.serve_cases(
    lambda case: LossBench(case.partition(':')[0], int(case.partition(':')[2]), FOLDER / case)
  )
