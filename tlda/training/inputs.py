"""From (seed, step) to a batch on the device.

Small sets live on the device and only indices travel; for large ones rows are fetched on the host
in the order that is computed, by the workers of `grain`.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Self

import grain
import jax
import jax.numpy as jnp
import numpy as np

from tlda import axis
from tlda.data import Domain, Split
from tlda.data.augmentation import VIEWS, View
from tlda.data.streams import Stream
from tlda.data.training_augmentation import AUGMENTATIONS
from tlda.errors import UserError
from tlda.methods import Batch, Context, Examples, Method
from tlda.training.parallel import Parallel

# What all resident sets may occupy on each device, in bytes.
RESIDENT_LIMIT = 2**31

Feed = dict[str, dict[str, Any]]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Preprocessing:
  """Turns stored inputs into what the network sees.

  That is `(x / 255 - mean) / std` for uint8 images, and `(x - mean) / std` for vectors; tokens stay
  what they are. Programs take it as an argument (`arrays`): so one serves problems that differ in
  nothing else.

  Attributes:
    mean: Per channel (or feature), in the units of the result; () where nothing is subtracted.
    std: What is divided by, per channel; None is 1.
  """

  mean: tuple[float, ...]
  std: tuple[float, ...] | None = None

  def arrays(self) -> Self:
    """Returns the same with a float32 array in the place of each tuple of numbers."""
    placed = lambda numbers: np.asarray(numbers, np.float32) if numbers else numbers
    return dataclasses.replace(self, mean=placed(self.mean), std=placed(self.std))

  def __call__(self, inputs: jax.Array) -> jax.Array:
    """Returns `[..., channels]` float32, or int32 tokens."""
    return self.centre(self.scale(inputs))

  def scale(self, inputs: jax.Array) -> jax.Array:
    """Returns the same before the mean is subtracted: what views are made of."""
    if inputs.dtype == jnp.int32:
      return inputs
    return inputs.astype(jnp.float32) * (1 / 255 if inputs.dtype == jnp.uint8 else 1.0)

  def centre(self, scaled: jax.Array) -> jax.Array:
    """Subtracts the mean, and divides by the standard deviation."""
    if len(self.mean) == 0:
      return scaled
    centred = scaled - jnp.asarray(self.mean, jnp.float32)
    return centred if self.std is None else centred / jnp.asarray(self.std, jnp.float32)


@dataclasses.dataclass(frozen=True)
class Part:
  """One part of the batch, and where its examples come from.

  Attributes:
    splits: One split, or one for each of several sources.
    domain: The branch of normalisation of the first of them.
    labels: Whether the method sees the labels.
  """

  splits: tuple[Split, ...]
  domain: int
  labels: bool


def parts(
  method: Method, sources: Sequence[Domain], target: Domain, labelled_target: Split | None = None
) -> dict[str, Part]:
  """Returns the parts of the batch that a method reads, and no others.

  Args:
    method: The method.
    sources: The labelled domains.
    target: The domain to adapt to.
    labelled_target: Its few labelled examples, where there are any.

  Raises:
    UserError: The method reads labelled examples of the target, and there are none; or there are,
      and it does not read them.
  """
  name = type(method).__name__
  if labelled_target is None and 'labelled_target' in method.reads:
    raise UserError(
      f'{name} reads a few labelled examples of the target: say how many with '
      '--target_labels_per_class'
    )
  if labelled_target is not None and 'labelled_target' not in method.reads:
    raise UserError(
      f'{name} reads no labelled examples of the target: leave out --target_labels_per_class'
    )
  every = {
    'source': Part(tuple(source.train for source in sources), 0, labels=True),
    'target': Part(
      (target.train,), method.spec.target_domain, labels='target_labels' in method.reads
    ),
  }
  if labelled_target is not None:
    every['labelled_target'] = Part((labelled_target,), method.spec.target_domain, labels=True)
  if unknown := method.reads - {*every, 'target_labels'}:
    raise UserError(f'{name} reads {sorted(unknown)}: no run has that')
  return {name: part for name, part in every.items() if name in method.reads}


class Inputs:
  """The batches of a run.

  Attributes:
    read: The parts of the batch, by name.
    arrays: What lives on the devices: under 'preprocessing' how inputs are preprocessed, and
      `arrays[part][i]`, inputs and labels of the i-th split of a part, where sets are resident.
    is_resident: Whether it does, or rows travel at each step.
  """

  def __init__(
    self,
    read: dict[str, Part],
    *,
    batch_size: int,
    preprocessing: Preprocessing,
    views: Sequence[str],
    parallel: Parallel,
    augment: str | None = None,
    resident: bool | None = None,
  ) -> None:
    """Places small sets on the devices.

    Args:
      read: The parts of the batch.
      batch_size: Examples of each domain in a step, on all devices.
      preprocessing: Of the inputs.
      views: The augmented views to make.
      parallel: The devices.
      augment: The augmentation that training images go through, or None.
      resident: Whether the sets live on the device; None decides by their size.
    """
    self.read, self._batch_size = read, batch_size
    self._views, self._parallel = views, parallel
    self._augment = augment
    splits = [split for part in read.values() for split in part.splits]
    if resident is None:
      resident = all(isinstance(split.inputs, np.ndarray) for split in splits)
      resident = resident and sum(split.inputs.nbytes for split in splits) <= RESIDENT_LIMIT
    self.is_resident = resident
    self._streams: dict[int, dict[str, list[Stream]]] = {}
    whole = lambda part: [_rows(part, split, np.arange(len(split))) for split in part.splits]
    sets = {name: whole(part) for name, part in read.items()} if resident else {}
    self.arrays: Any = parallel.replicate({'preprocessing': preprocessing.arrays(), **sets})

  def indices(self, seed: int, step: int) -> dict[str, np.ndarray]:
    """Returns the rows of step `step`, for each part `[splits, batch]`."""
    if seed not in self._streams:
      self._streams[seed] = {
        name: [
          Stream(len(split.labels), self._batch_size, seed, f'{name}/{number}')
          for number, split in enumerate(part.splits)
        ]
        for name, part in self.read.items()
      }
    return {
      name: np.stack([stream.indices(step) for stream in streams])
      for name, streams in self._streams[seed].items()
    }

  def feed(self, seed: int, step: int) -> Feed:
    """Returns what travels to this host's devices: arrays `[devices, splits, batch, ...]`."""
    feed: Feed = {}
    for name, rows in self.indices(seed, step).items():
      index = self._parallel.split(rows, axis=1)
      feed[name] = {'index': index}
      if not self.is_resident:
        part = self.read[name]
        fetched = [
          [_rows(part, split, own) for split, own in zip(part.splits, device, strict=True)]
          for device in index
        ]
        feed[name] |= jax.tree.map(lambda *x: np.stack(x), *(_stacked(d) for d in fetched))
    return feed

  def feeds(self, seeds: Sequence[int], start: int, stop: int) -> Iterator[list[Feed]]:
    """Yields the feeds of all seeds for each step from `start` to `stop`."""
    load = lambda step: [self.feed(seed, step) for seed in seeds]
    if self.is_resident:
      yield from map(load, range(start, stop))
    elif start < stop:
      ahead = grain.ReadOptions(num_threads=4, prefetch_buffer_size=4)
      yield from grain.MapDataset.range(start, stop).map(load).to_iter_dataset(ahead)

  def stretches(
    self, seeds: Sequence[int], start: int, stop: int, every: int
  ) -> Iterator[tuple[int, list[Feed]]]:
    """Yields the feeds of several steps at once, up to each multiple of `every`.

    Args:
      seeds: The seeds.
      start: The steps that were done.
      stop: Where to end.
      every: The length of a stretch.

    Yields:
      The steps that are done after it, and for each seed a feed whose arrays have a dimension of
      steps behind that of devices.
    """
    while start < stop:
      end = min(start - start % every + every, stop)
      steps = range(start, end)
      stack = lambda *x: np.stack(x, axis=1)
      yield end, [jax.tree.map(stack, *(self.feed(seed, s) for s in steps)) for seed in seeds]
      start = end

  def example(self, seed: int) -> Batch:
    """Returns a batch of zeros of the shapes of a device's share: what parameters are made for."""
    share = jax.tree.map(lambda x: x[0], self.feed(seed, 0))
    context = Context(jnp.int32(0), jnp.int32(seed), 1)
    shapes = jax.eval_shape(lambda a, f: self.batch(a, f, context), self.arrays, share)
    return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

  def batch(self, arrays: Any, feed: Feed, context: Context) -> Batch:
    """Makes the batch on the device: gathers rows, preprocesses, augments.

    Args:
      arrays: `self.arrays`.
      feed: This device's part of a feed: `[splits, batch, ...]` arrays. Where a resident set holds
        more than one domain, `row` says where in it the example `index` of its own lies.
      context: Of the step, whose key the views are drawn with.
    """
    return Batch(**{name: self._examples(name, arrays, feed[name], context) for name in self.read})

  def _examples(self, name: str, arrays: Any, fed: dict[str, Any], context: Context) -> Examples:
    part, index = self.read[name], fed['index']
    if self.is_resident:
      fed = _stacked(
        [
          {key: array[own] for key, array in resident.items()}
          for resident, own in zip(arrays[name], fed.get('row', index), strict=True)
        ]
      )
    count, share = index.shape
    position = jnp.arange(share, dtype=jnp.int32) + axis.index() * share
    preprocessing: Preprocessing = arrays['preprocessing']
    scaled = preprocessing.scale(fed['inputs'])
    examples = Examples(
      inputs=scaled,
      index=index,
      position=jnp.broadcast_to(position, (count, share)),
      domain=jnp.broadcast_to(part.domain + jnp.arange(count)[:, None], (count, share)),
      labels=fed.get('labels'),
    )
    examples = self._with_views(name, examples, context, preprocessing)
    return examples if count > 1 else jax.tree.map(lambda x: x[0], examples)

  def _with_views(
    self, part: str, examples: Examples, context: Context, preprocessing: Preprocessing
  ) -> Examples:
    """Augments examples that are scaled only: their inputs if asked for, and the views of them."""
    # The labelled examples of the target are of its domain too: they get draws of their own.
    own = '/labelled' if part == 'labelled_target' else ''
    shape = examples.inputs.shape
    scaled = examples.inputs.reshape((-1, *shape[2:]))

    def drawn(name: str, make: View) -> jax.Array:
      return jax.vmap(make)(context.keys(f'{name}{own}', examples.flat()), scaled)

    inputs = scaled if self._augment is None else drawn('augment', AUGMENTATIONS[self._augment])
    views = {name: drawn(f'view/{name}', VIEWS[name.partition('/')[0]]) for name in self._views}
    finished = lambda made: preprocessing.centre(made).reshape(shape)
    return examples.replace(inputs=finished(inputs), views=jax.tree.map(finished, views))


def _rows(part: Part, split: Split, rows: np.ndarray | slice) -> dict[str, np.ndarray]:
  fetched = {'inputs': split.fetch(rows)}
  return fetched | ({'labels': split.labels[rows]} if part.labels else {})


def _stacked(rows: list[dict[str, Any]]) -> dict[str, Any]:
  stack = jnp.stack if isinstance(rows[0]['inputs'], jax.Array) else np.stack
  return {key: stack([each[key] for each in rows]) for key in rows[0]}
