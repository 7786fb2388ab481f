"""What a PyTorch pickle may name, and the records that stand for it: nothing of it is called."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

# What counts, sizes and offsets stay below, so that no sum of them is a surprise.
_MOST = 2**48
# NumPy's own limit: a product of very many numbers takes long.
MOST_DIMENSIONS = 64


@dataclasses.dataclass(frozen=True)
class Storage:
  """A block of numbers that the pickle names and the file holds elsewhere.

  Attributes:
    key: Its name in the file.
    dtype: Of a number.
    size: How many numbers it has.
  """

  key: str
  dtype: np.dtype
  size: int


@dataclasses.dataclass(frozen=True)
class Window:
  """A part of a storage, as the oldest files know it; mostly the whole.

  Attributes:
    storage: What it is a part of.
    offset: Of its first number.
  """

  storage: Storage
  offset: int


@dataclasses.dataclass(frozen=True)
class Tensor:
  """A view of a storage, not checked against it: offset and strides count numbers.

  Attributes:
    storage: What it views.
    offset: Of its first number.
    shape: Its shape.
    strides: One a dimension.
  """

  storage: Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Name:
  """A function or class that the pickle names.

  Attributes:
    stands_for: A function of ours that makes a record, or the dtype of a kind of storage.
  """

  stands_for: Callable[..., Any] | np.dtype


def count(value: Any) -> int:
  """Returns a size or an offset; whatever else it is raises ValueError."""
  if type(value) is not int or not 0 <= value < _MOST:
    raise ValueError('a size or an offset that is none')
  return value


def key(value: Any) -> str | int | float | bytes | None:
  """Returns the key of a dict or a member of a set; what is no string or number raises ValueError.

  Python's own stack overflows at the hash of a tuple in a tuple in a tuple ...
  """
  if not isinstance(value, str | int | float | bytes | None):
    raise ValueError('a key that is no string or number')
  return value


def pairs(keys: Any, values: Any) -> dict[Any, Any]:
  """Returns a dict of as many keys as values."""
  return dict(zip(map(key, keys), values, strict=True))


def _dict(items: list[Any] | None = None) -> dict[Any, Any]:
  return pairs(*zip(*items, strict=True)) if items else {}


def _set(items: list[Any]) -> set[Any]:
  return set(map(key, items))


def _tensor(window: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
  if not isinstance(window, Window) or type(shape) is not tuple or type(strides) is not tuple:
    raise ValueError('a tensor of no storage or shape')
  shape, strides = tuple(map(count, shape)), tuple(map(count, strides))
  if len(shape) != len(strides):
    raise ValueError('a tensor with more strides than dimensions, or fewer')
  if len(shape) > MOST_DIMENSIONS:
    raise ValueError('no shape that an array can have')
  return Tensor(window.storage, window.offset + count(offset), shape, strides)


def _parameter(tensor: Any, *_: Any) -> Tensor:
  if not isinstance(tensor, Tensor):
    raise ValueError('a parameter that is no tensor')
  return tensor


_STORAGES = {
  'Double': np.float64,
  'Float': np.float32,
  'Half': np.float16,
  'BFloat16': jnp.bfloat16,
  'Long': np.int64,
  'Int': np.int32,
  'Short': np.int16,
  'Char': np.int8,
  'Byte': np.uint8,
  'Bool': np.bool_,
}
# All that a file may name.
NAMES = {
  'collections.OrderedDict': Name(_dict),
  'builtins.set': Name(_set),
  '__builtin__.set': Name(_set),
  'torch._utils._rebuild_tensor': Name(_tensor),
  'torch._utils._rebuild_tensor_v2': Name(_tensor),
  'torch._utils._rebuild_parameter': Name(_parameter),
  **{f'torch.{kind}Storage': Name(np.dtype(dtype)) for kind, dtype in _STORAGES.items()},
}
