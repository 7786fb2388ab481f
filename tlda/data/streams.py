"""The order of examples: a batch is a function of the seed and the step, computed, not iterated.

A resumed run, and a run on more hosts, therefore see the same batches.
"""

import dataclasses
import hashlib

import numpy as np

from tlda.errors import UserError


@dataclasses.dataclass(frozen=True)
class Stream:
  """An endless sequence of epochs over one domain, each a fresh permutation, cut into batches.

  Source and target are two streams, each with epochs of its own length: nothing is cut to the
  shorter one, and a batch may reach from one epoch into the next.

  Attributes:
    examples: How many there are in the domain.
    batch_size: How many a step takes, over all devices; may exceed `examples`.
    seed: The run's seed.
    name: Which part of the batch it is of and which domain of that part, so that domains have
      different orders: 'source/0', 'source/1', 'target/0'.
  """

  examples: int
  batch_size: int
  seed: int
  name: str
  # Permutations of the epochs that the last batch touched: a step costs microseconds.
  _epochs: dict[int, np.ndarray] = dataclasses.field(
    default_factory=dict, init=False, repr=False, compare=False
  )

  def __post_init__(self) -> None:
    """Raises UserError where there is nothing to draw."""
    if self.examples < 1:
      raise UserError(f'{self.name} has no examples')
    if self.batch_size < 1:
      raise UserError(f'the batch size of {self.name} must be at least 1, not {self.batch_size}')

  def indices(self, step: int) -> np.ndarray:
    """Returns the rows that step `step` (from 0) learns from, int32 `[batch_size]`."""
    start = step * self.batch_size
    first, offset = divmod(start, self.examples)
    last = (start + self.batch_size - 1) // self.examples
    orders = {epoch: self._order(epoch) for epoch in range(first, last + 1)}
    self._epochs.clear()
    self._epochs.update(orders)
    joined = orders[first] if first == last else np.concatenate(list(orders.values()))
    return joined[offset : offset + self.batch_size]

  def _order(self, epoch: int) -> np.ndarray:
    cached = self._epochs.get(epoch)
    return permutation(self.examples, self.seed, self.name, epoch) if cached is None else cached


def permutation(examples: int, seed: int, name: str, epoch: int) -> np.ndarray:
  """Permutes the rows of a domain for one epoch, as a function of the arguments alone.

  The order of random 64-bit keys from NumPy's Philox counter: its raw stream is promised to stay,
  where `Generator.permutation` may change between versions of NumPy.

  Args:
    examples: How many rows.
    seed: The run's seed.
    name: The stream's name.
    epoch: Number of the epoch, from 0.

  Returns:
    int32 `[examples]`.
  """
  key = hashlib.sha256(f'{seed}/{name}/{epoch}'.encode()).digest()[:16]
  keys = np.random.Philox(key=np.frombuffer(key, '<u8')).random_raw(examples)
  return np.argsort(keys, kind='stable').astype(np.int32)
