"""Passes over whole splits: metrics, features, and whatever a method wants to see of a domain."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from tlda import axis
from tlda.data import Split
from tlda.methods import Method
from tlda.training import seeds as seeds_lib
from tlda.training.inputs import Preprocessing
from tlda.training.parallel import Parallel
from tlda.training.seeds import Program
from tlda.training.state import TrainState, with_settings

# Examples in one call, rounded up to a multiple of the devices; fewer where they are large: of
# 224x224x3 inputs 111, so that a deep network's activations fit beside its training.
ROWS, NUMBERS = 512, 2**24
# Of a sample, numbers of its inputs, and the examples that it has however large they are.
SAMPLED, FEWEST = 2**23, 300


class Evaluator:
  """Runs the prediction path of every seed over whole splits, in the order of their rows."""

  def __init__(
    self, method: Method, preprocessing: Preprocessing, devices: Parallel, *, together: bool
  ) -> None:
    """Prepares the programs; each is compiled when it is first called."""
    self._method, self._devices, self._together = method, devices, together
    self._arrays = devices.replicate(preprocessing.arrays())
    rows = max(1, min(ROWS, NUMBERS // math.prod(method.spec.input_shape)))
    self._rows = -(-rows // devices.devices) * devices.devices
    self._metrics = self._program(self._measure)
    self._passes: dict[str, Program] = {}
    self._each = Program(devices, self._pass('__call__'), together=together)

  def seeing(self, preprocessing: Preprocessing) -> 'Evaluator':
    """Returns an evaluator of inputs that are preprocessed otherwise, with the same programs."""
    other = copy.copy(self)
    other._arrays = self._devices.replicate(preprocessing.arrays())
    return other

  def _program(self, function: Callable[..., Any]) -> Program:
    return Program(self._devices, function, together=self._together, shares_feed=True)

  def _measure(
    self, state: TrainState, preprocessing: Preprocessing, feed: dict[str, jax.Array]
  ) -> Any:
    inputs = preprocessing(feed['inputs'])
    method = with_settings(self._method, state.settings)
    outputs = method.apply(state.variables, inputs, feed['domain'])
    metrics = method.task.metrics(outputs.logits, feed['labels'], feed['mask'])
    return axis.sum(metrics)

  def _feeds(self, split: Split, rows: np.ndarray, domain: int) -> Iterator[tuple[Any, int]]:
    """Yields feeds over the rows of a split, the last one padded, and how many rows of it count."""
    for start in range(0, len(rows), self._rows):
      own = rows[start : start + self._rows]
      count = len(own)
      index = self._devices.split(np.concatenate([own, np.repeat(own[:1], self._rows - count)]))
      mask = self._devices.split((np.arange(self._rows) < count).astype(np.float32))
      inputs = split.fetch(index.ravel())
      feed = {
        'inputs': inputs.reshape(*index.shape, *inputs.shape[1:]),
        'labels': split.labels[index],
        'domain': np.full(index.shape, domain, np.int32),
        'mask': mask,
      }
      yield feed, count

  def metrics(
    self, states: Sequence[TrainState], split: Split, domain: int
  ) -> dict[str, np.ndarray]:
    """Returns the task's metrics on a split, each with a leading dimension of seeds.

    Args:
      states: Of all seeds, as `seeds.create` returns them.
      split: With labels.
      domain: The branch of per-domain normalisation.
    """
    total: Any = None
    for feed, _ in self._feeds(split, np.arange(len(split)), domain):
      results = self._metrics(states, self._arrays, [feed])
      results = seeds_lib.stack(results, together=self._together)
      total = results if total is None else jax.tree.map(np.add, total, results)
    counted = {name: (sums, counts) for name, (sums, counts) in total.items()}
    return {name: _divide(sums, counts) for name, (sums, counts) in counted.items()}

  def outputs(
    self,
    states: Sequence[TrainState],
    split: Split,
    domain: int,
    *,
    rows: np.ndarray | None = None,
    method: str = '__call__',
  ) -> Any:
    """Returns what a method of the network says of the rows of a split.

    Args:
      states: Of all seeds.
      split: The examples; labels are not used.
      domain: The branch of per-domain normalisation.
      rows: `[n]` which examples; None takes all.
      method: The network's method `(inputs, domain) -> arrays [batch, ...]`.

    Returns:
      Host arrays `[seeds, n, ...]`.
    """
    if method not in self._passes:
      self._passes[method] = self._program(self._pass(method))
    chunks = []
    for feed, count in self._feeds(split, np.arange(len(split)) if rows is None else rows, domain):
      del feed['labels'], feed['mask']
      results = self._passes[method](states, self._arrays, [feed])
      results = seeds_lib.stack(results, together=self._together)
      chunks.append(jax.tree.map(lambda x, count=count: x[:, :count], results))
    return jax.tree.map(lambda *x: np.concatenate(x, axis=1), *chunks)

  def outputs_of_each(
    self, states: Sequence[TrainState], splits: Sequence[Split], domain: int
  ) -> Any:
    """Returns what each seed's network says of all rows of a split of its own.

    Args:
      states: Of all seeds.
      splits: One a seed, of equal length; labels are not used.
      domain: The branch of per-domain normalisation.

    Returns:
      Host arrays `[seeds, n, ...]`.
    """
    whole = [self._feeds(split, np.arange(len(split)), domain) for split in splits]
    chunks = []
    for fed in zip(*whole, strict=True):
      feeds = [{name: feed[name] for name in ('inputs', 'domain')} for feed, _ in fed]
      found = self._each(states, self._arrays, feeds)
      results = seeds_lib.stack(found, together=self._together)
      chunks.append(jax.tree.map(lambda x, count=fed[0][1]: x[:, :count], results))
    return jax.tree.map(lambda *x: np.concatenate(x, axis=1), *chunks)

  def first_seed(self, states: Sequence[TrainState]) -> dict[str, Any]:
    """Returns the variables of the first seed as host arrays."""
    variables = seeds_lib.stack([state.variables for state in states], together=self._together)
    return jax.tree.map(lambda x: x[0], variables)

  def _pass(self, method: str) -> Callable[..., Any]:
    def run(state: TrainState, preprocessing: Preprocessing, feed: dict[str, jax.Array]) -> Any:
      inputs = preprocessing(feed['inputs'])
      network = with_settings(self._method, state.settings)
      found = network.apply(state.variables, inputs, feed['domain'], method=method)
      return jax.tree.map(axis.gather, found)

    return run


def sample_rows(split: Split, input_shape: tuple[int, ...], most: int) -> np.ndarray:
  """Returns evenly spaced rows, mixed, so that a split sorted by class is seen whole.

  Args:
    split: Where they lie.
    input_shape: Of an example: of large ones there are fewer.
    most: The most rows.

  Returns:
    int `[n]`, the same whenever it is asked.
  """
  affordable = max(FEWEST, SAMPLED // math.prod(input_shape))
  rows = np.linspace(0, len(split) - 1, min(len(split), most, affordable)).astype(int)
  return np.random.default_rng(0).permutation(rows)


def _divide(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
  """Divides sums by counts; what is summed as a matrix (confusion) stays a sum of counts."""
  return sums / counts if sums.ndim == counts.ndim else sums
