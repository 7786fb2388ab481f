"""Some of a set's examples, without reading them: what is lazy stays so."""

import dataclasses

import numpy as np

from tlda.data.domains import Inputs, LazyInputs


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
  """Some examples of a lazy set (`LazyInputs`).

  Attributes:
    whole: The set.
    rows: Which of its examples, int `[n]`.
  """

  whole: LazyInputs
  rows: np.ndarray

  @property
  def shape(self) -> tuple[int, ...]:
    """The shape of these examples together, `(n, height, width, channels)`."""
    return len(self.rows), *self.whole.shape[1:]

  @property
  def dtype(self) -> np.dtype:
    """The type of one element."""
    return self.whole.dtype

  @property
  def channels(self) -> int:
    """1 for grey, 3 for colour."""
    return self.whole.channels

  def __len__(self) -> int:
    """Returns the number of examples."""
    return len(self.rows)

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    """Returns the examples at `indices` `[batch]` of these, `[batch, height, width, channels]`."""
    return self.whole.fetch(self.rows[indices])

  def with_channels(self, channels: int) -> 'Rows':
    """Returns the same examples with 1 (grey) or 3 (colour) channels."""
    return Rows(self.whole.with_channels(channels), self.rows)


def take(inputs: Inputs, rows: np.ndarray) -> Inputs:
  """Returns the examples of `inputs` at `rows` `[n]`: an array of an array, else lazily."""
  return inputs[rows] if isinstance(inputs, np.ndarray) else Rows(inputs, rows)
