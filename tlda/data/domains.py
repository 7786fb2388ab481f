"""What a domain is: a name, examples for training and for testing, and the classes they share."""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from tlda.errors import UserError

_CHUNK = 1024  # Examples fetched at a time where a whole set is read that need not fit in memory.
_MEAN_EXAMPLES = 8192  # A lazy set's mean is taken over at most this many examples.


class LazyInputs(Protocol):
  """Random access to examples that are decoded when they are asked for.

  Attributes:
    shape: Shape of the whole, `(examples, height, width, channels)`.
    dtype: Type of one element, uint8.
    channels: 1 or 3, the last entry of `shape`.
  """

  shape: tuple[int, ...]
  dtype: np.dtype
  channels: int

  def __len__(self) -> int:
    """Returns the number of examples."""

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    """Returns the examples at `indices` `[batch]`, as `[batch, height, width, channels]`."""

  def with_channels(self, channels: int) -> 'LazyInputs':
    """Returns the same examples with 1 (grey) or 3 (colour) channels."""


Inputs = np.ndarray | LazyInputs


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
  """Examples of one domain, either all that train or all that test.

  Attributes:
    inputs: uint8 images `[examples, height, width, channels]`, float32 vectors `[examples, d]`, or
      int32 tokens of text `[examples, length]`; an array, or `LazyInputs` where the set is too
      large to be held decoded. Or texts `[examples]`, a StringDType array, before they are tokens.
    labels: int32 `[examples]`, from 0 to classes - 1.
  """

  inputs: Inputs
  labels: np.ndarray

  def __len__(self) -> int:
    """Returns the number of examples."""
    return len(self.labels)

  @functools.cached_property
  def sha256(self) -> str:
    """The hash of types, shapes and contents, as decoded: equal data have equal hashes."""
    kind = 'text' if self.is_text else np.dtype(self.inputs.dtype)
    digest = hashlib.sha256(f'{kind} {self.inputs.shape}'.encode())
    for chunk in self.chunks():
      digest.update(_encoded(chunk) if self.is_text else np.ascontiguousarray(chunk))
    digest.update(np.ascontiguousarray(self.labels, dtype='<i4'))
    return digest.hexdigest()

  @property
  def is_text(self) -> bool:
    """Whether the inputs are texts, which no network reads before they are tokens."""
    return self.inputs.dtype.kind == 'T'

  @property
  def is_tokens(self) -> bool:
    """Whether the inputs are tokens: integers that name something, and no amounts."""
    return self.inputs.dtype == np.int32

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    """Returns the inputs at `indices` `[batch]`, as an array `[batch, ...]`."""
    return fetch(self.inputs, indices)

  def chunks(self) -> Iterator[np.ndarray]:
    """Yields all inputs in order, as arrays of at most 1024 examples."""
    for start in range(0, len(self), _CHUNK):
      yield self.fetch(np.arange(start, min(start + _CHUNK, len(self))))


@dataclasses.dataclass(frozen=True, eq=False)
class Domain:
  """A named source or target of examples.

  Attributes:
    name: The name that `load` was given.
    train: Examples to learn from.
    test: Examples to measure by; of some protocols the same (`is_held_out`).
    classes: The name of each class; label `i` means `classes[i]`.
    licence: The terms under which the data may be used, as stated by their authors.
  """

  name: str
  train: Split
  test: Split
  classes: tuple[str, ...]
  licence: str

  @property
  def is_held_out(self) -> bool:
    """Whether the test examples are not those to learn from; of unequal length none is read."""
    same_length = len(self.train) == len(self.test)
    return not (same_length and self.train.sha256 == self.test.sha256)


def fetch(inputs: Inputs, indices: np.ndarray) -> np.ndarray:
  """Returns the examples of `inputs` at `indices` `[batch]`, as an array `[batch, ...]`."""
  return inputs[indices] if isinstance(inputs, np.ndarray) else inputs.fetch(indices)


def fit_together(sources: Sequence[Domain], target: Domain) -> tuple[list[Domain], Domain]:
  """Gives domains one example shape, so that one network can take them all.

  Grey images are repeated to three channels where another domain is in colour. Nothing is resized:
  that is asked for when a domain is loaded.

  Args:
    sources: The labelled domains.
    target: The domain to adapt to.

  Returns:
    The same sources and target, with inputs of equal shape.

  Raises:
    UserError: If classes, kinds (images, vectors) or sizes differ.
  """
  domains = [*sources, target]
  for source in sources:
    if source.classes != target.classes:
      raise UserError(
        f'{source.name} and {target.name} have different classes '
        f'({_few(source.classes)} against {_few(target.classes)})'
      )
  shapes = {domain.name: _shape(domain) for domain in domains}
  if len({shape[:2] if len(shape) == 3 else shape for shape in shapes.values()}) > 1:
    described = ', '.join(f'{name} {"x".join(map(str, s)) or "text"}' for name, s in shapes.items())
    images = all(len(shape) == 3 for shape in shapes.values())
    hint = ': give an image size to resize them to' if images else ''
    raise UserError(f'the domains have different example shapes ({described}){hint}')
  if len(set(shapes.values())) == 1:
    return list(sources), target
  fitted = in_color(domains)
  return fitted[:-1], fitted[-1]


def in_color(domains: Sequence[Domain]) -> list[Domain]:
  """Returns the same domains, grey images repeated to three channels; others are left alone."""
  is_grey = lambda domain: len(_shape(domain)) == 3 and _shape(domain)[-1] == 1
  return [_in_color(domain) if is_grey(domain) else domain for domain in domains]


def channel_mean(domains: Sequence[Domain]) -> np.ndarray:
  """Computes what is subtracted from every input: the mean of each channel over training examples.

  Every domain counts the same, as it does in a batch. Of a lazy set, 8192 evenly spaced examples
  (or all, if there are fewer) are read.

  Args:
    domains: Domains with inputs of one shape, see `fit_together`.

  Returns:
    float32 `[channels]` in units of the inputs (0 to 255 for images); for vectors `[d]`; for
    tokens, of which there is no mean, `[0]`.

  Raises:
    UserError: A domain holds texts.
  """
  for domain in domains:
    if domain.train.is_text:
      raise UserError(f'{domain.name} holds texts: a network reads tokens, see tlda.data.text')
  return np.mean([_mean(domain.train) for domain in domains], axis=0).astype(np.float32)


def draw(split: Split, per_class: int, classes: int, seed: int = 0) -> Split:
  """Draws the same number of examples of each class, at random by the seed.

  Args:
    split: Where to draw from; it keeps all examples.
    per_class: How many of each class.
    classes: The number of classes.
    seed: Of the draw.

  Returns:
    `[classes * per_class]` examples in memory, class by class.

  Raises:
    UserError: A class has fewer.
  """
  random = np.random.default_rng(seed)
  rows = [np.flatnonzero(split.labels == label) for label in range(classes)]
  fewest = min(range(classes), key=lambda label: len(rows[label]))
  if len(rows[fewest]) < per_class:
    raise UserError(
      f'{per_class} examples of each class were asked for, and class {fewest} has '
      f'{len(rows[fewest])}'
    )
  chosen = np.concatenate([random.choice(own, per_class, replace=False) for own in rows])
  return Split(split.fetch(chosen), split.labels[chosen])


def _encoded(texts: np.ndarray) -> bytes:
  """Returns texts one after the other, each after its length."""
  parts = [text.encode() for text in texts]
  return b''.join(b'%d %s' % (len(part), part) for part in parts)


def _mean(split: Split) -> np.ndarray:
  if split.is_tokens:
    return np.zeros(0)
  if not isinstance(split.inputs, np.ndarray) and len(split) > _MEAN_EXAMPLES:
    indices = np.linspace(0, len(split) - 1, _MEAN_EXAMPLES).astype(int)
    split = Split(fetch(split.inputs, indices), split.labels[indices])
  axes = tuple(range(len(split.inputs.shape) - 1))
  total = sum(chunk.sum(axes, dtype=np.float64) for chunk in split.chunks())
  return total / np.prod(split.inputs.shape[:-1])


def _shape(domain: Domain) -> tuple[int, ...]:
  return tuple(domain.train.inputs.shape[1:])


def _few(classes: Sequence[str]) -> str:
  shown = ', '.join(classes[:4]) + (', ...' if len(classes) > 4 else '')
  return f'{len(classes)}: {shown}'


def _in_color(domain: Domain) -> Domain:
  return dataclasses.replace(domain, train=_color(domain.train), test=_color(domain.test))


def _color(split: Split) -> Split:
  inputs = split.inputs
  repeated = np.repeat(inputs, 3, -1) if isinstance(inputs, np.ndarray) else inputs.with_channels(3)
  return Split(repeated, split.labels)
