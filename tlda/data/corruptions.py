"""Corrupted images of a domain: `corrupted:DOMAIN/KIND-STRENGTH`, such as `corrupted:mnist/fog-3`.

Five kinds at five strengths, in the manner of Hendrycks and Dietterich: *Benchmarking Neural
Network Robustness to Common Corruptions and Perturbations*, ICLR 2019, but made here, of images of
any size: numbers are not comparable with those on MNIST-C or ImageNet-C. What is random is keyed by
an image's place in its split, so that a domain is always the same.
"""

import dataclasses
import functools
import zlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from tlda.data.domains import Domain, Inputs, LazyInputs, Split, fetch
from tlda.errors import UserError, nearest

STRENGTHS = 5

Corruption = Callable[[jax.Array, jax.Array, int], jax.Array]


def gaussian_noise(key: jax.Array, image: jax.Array, strength: int) -> jax.Array:
  """Adds noise of a standard deviation of 0.08 to 0.38."""
  deviation = (0.08, 0.12, 0.18, 0.26, 0.38)[strength - 1]
  return image + deviation * jax.random.normal(key, image.shape)


def blur(key: jax.Array, image: jax.Array, strength: int) -> jax.Array:
  """Blurs by a Gaussian of a deviation of 2 to 8 hundredths of a side."""
  del key
  share = (0.02, 0.03, 0.045, 0.06, 0.08)[strength - 1]

  def weights(side: int) -> jax.Array:
    distance = (jnp.arange(side)[:, None] - jnp.arange(side)) / (share * side)
    return jax.nn.softmax(-jnp.square(distance) / 2, axis=1)

  height, width, _ = image.shape
  return jnp.einsum('ab,bcd,ec->aed', weights(height), image, weights(width), precision='highest')


def contrast(key: jax.Array, image: jax.Array, strength: int) -> jax.Array:
  """Leaves 0.4 to 0.05 of what sets each pixel apart from the mean of its channel."""
  del key
  share = (0.4, 0.3, 0.2, 0.1, 0.05)[strength - 1]
  mean = image.mean((0, 1), keepdims=True)
  return mean + share * (image - mean)


def fog(key: jax.Array, image: jax.Array, strength: int) -> jax.Array:
  """Lays smooth noise of several scales over an image, of 0.5 to 2.5 times its weight."""
  weight = (0.5, 0.8, 1.2, 1.7, 2.5)[strength - 1]
  shape = (*image.shape[:2], 1)
  octaves = [
    jax.image.resize(jax.random.uniform(own, (size, size, 1)), shape, 'linear') / size
    for own, size in zip(jax.random.split(key, 4), (2, 4, 8, 16), strict=True)
  ]
  smooth = sum(octaves)
  smooth = (smooth - smooth.min()) / jnp.maximum(smooth.max() - smooth.min(), 1e-6)
  return (image + weight * smooth) / (1 + weight)


def pixelate(key: jax.Array, image: jax.Array, strength: int) -> jax.Array:
  """Shrinks an image to 0.6 to 0.25 of its side, and shows the pixels large."""
  del key
  share = (0.6, 0.5, 0.4, 0.3, 0.25)[strength - 1]
  small = (*(max(1, round(share * side)) for side in image.shape[:2]), image.shape[2])
  return jax.image.resize(jax.image.resize(image, small, 'linear'), image.shape, 'nearest')


CORRUPTIONS: dict[str, Corruption] = {
  'blur': blur,
  'contrast': contrast,
  'fog': fog,
  'gaussian_noise': gaussian_noise,
  'pixelate': pixelate,
}


@dataclasses.dataclass(frozen=True)
class Corrupted:
  """Images that are corrupted when they are fetched (`LazyInputs`).

  Attributes:
    clean: The images.
    kind: One of `CORRUPTIONS`.
    strength: From 1 to `STRENGTHS`.
    part: 'train' or 'test', which have noise of their own.
  """

  clean: Inputs
  kind: str
  strength: int
  part: str
  dtype: np.dtype = np.dtype(np.uint8)

  @property
  def shape(self) -> tuple[int, ...]:
    """The shape of the whole set, `(examples, height, width, channels)`."""
    return tuple(self.clean.shape)

  @property
  def channels(self) -> int:
    """1 or 3."""
    return self.shape[-1]

  def __len__(self) -> int:
    """Returns the number of images."""
    return self.shape[0]

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    """Returns the corrupted images at `indices` `[batch]`: uint8 `[batch, height, ...]`."""
    key = jax.random.key(zlib.crc32(f'{self.part}/{self.kind}'.encode()))
    images = fetch(self.clean, indices)
    return np.array(_corrupted(key, jnp.asarray(indices), images, self.kind, self.strength))

  def with_channels(self, channels: int) -> LazyInputs:
    """Returns the same images with 1 (grey) or 3 (colour) channels."""
    clean = self.clean
    grey = isinstance(clean, np.ndarray)
    clean = np.repeat(clean, channels, -1) if grey else clean.with_channels(channels)
    return dataclasses.replace(self, clean=clean)


@functools.partial(jax.jit, static_argnames=('kind', 'strength'))
def _corrupted(
  key: jax.Array, places: jax.Array, images: jax.Array, kind: str, strength: int
) -> jax.Array:
  def one(place: jax.Array, image: jax.Array) -> jax.Array:
    made = CORRUPTIONS[kind](jax.random.fold_in(key, place), image / 255, strength)
    return jnp.round(255 * jnp.clip(made, 0, 1)).astype(jnp.uint8)

  return jax.vmap(one)(places, images)


def parse(name: str) -> tuple[str, int]:
  """Returns kind and strength of 'fog-3'.

  Raises:
    UserError: There is no such kind or strength.
  """
  kind, _, strength = name.rpartition('-')
  if kind not in CORRUPTIONS:
    raise UserError(nearest('corruption', kind or name, CORRUPTIONS))
  if strength not in map(str, range(1, STRENGTHS + 1)):
    raise UserError(f'the strength of {kind} is from 1 to {STRENGTHS}: {kind}-3')
  return kind, int(strength)


def corrupted(domain: Domain, kind: str, strength: int) -> Domain:
  """Returns a domain with all its images corrupted; labels stay.

  Those to test with are made at once where they are in memory, the others when they are asked for.

  Args:
    domain: Of images.
    kind: One of `CORRUPTIONS`.
    strength: From 1 to `STRENGTHS`.

  Raises:
    UserError: The domain holds no images.
  """
  if len(domain.test.inputs.shape) != 4:
    raise UserError(f'{kind} corrupts images, and {domain.name} holds none')
  train, test = (
    Corrupted(getattr(domain, part).inputs, kind, strength, part) for part in ('train', 'test')
  )
  made = _all(test) if isinstance(test.clean, np.ndarray) else test
  return dataclasses.replace(
    domain,
    name=f'corrupted:{domain.name}/{kind}-{strength}',
    train=Split(train, domain.train.labels),
    test=Split(made, domain.test.labels),
  )


def _all(inputs: Corrupted, rows: int = 1000) -> np.ndarray:
  """Returns all images, made some at a time."""
  starts = range(0, len(inputs), rows)
  chunks = [inputs.fetch(np.arange(s, min(s + rows, len(inputs)))) for s in starts]
  return np.concatenate(chunks)
