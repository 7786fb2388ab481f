"""CutMix (Yun et al., 2019)."""

import jax
import jax.numpy as jnp

from tlda.errors import UserError
from tlda.methods.mixup import Mixup, partners


def cutmix(
  key: jax.Array, inputs: jax.Array, targets: jax.Array, *, alpha: float = 1.0
) -> tuple[jax.Array, jax.Array]:
  """Pastes a rectangle of another image of the global batch into each, at the same place in all.

  Yun, Han, Oh, Chun, Choe, Yoo: *CutMix: Regularization Strategy to Train Strong Classifiers with
  Localizable Features* (ICCV 2019), eq. 1 and 2 and algorithm A1: the centre of the rectangle is
  uniform over the image, and its sides are `sqrt(1 - share)` of the image's, with a share of
  Beta(alpha, alpha). What crosses the border is cut off; targets are mixed as pixels then are.

  Args:
    key: Random key, the same on every device.
    inputs: `[batch, height, width, channels]` float, the rows on this device.
    targets: `[batch, classes]` float, the probabilities of their classes.
    alpha: 1 draws the share uniformly.

  Returns:
    Inputs and targets of the same shapes.
  """
  draw, place, order = jax.random.split(key, 3)
  side = jnp.sqrt(1 - jax.random.beta(draw, alpha, alpha))
  pasted = jnp.outer(
    *(
      _inside(size, centre, side)
      for size, centre in zip(inputs.shape[1:3], jax.random.uniform(place, (2,)), strict=True)
    )
  )
  mixed = jnp.where(pasted[..., None], partners(order, inputs), inputs)
  share = 1 - pasted.mean()
  return mixed, share * targets + (1 - share) * partners(order, targets)


class CutMix(Mixup):
  """Learns from images with a rectangle of another, and from both labels (Yun et al., 2019).

  Supervised, as `target_only` is: the target is learned from, with its labels. The rectangle is
  drawn anew at each step, one for the global batch.

  Attributes:
    alpha: Of the Beta distribution of the share that stays (the paper's 1, uniform).
  """

  alpha: float = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses what is no image, and a distribution that there is not."""
    super().check(batch_size)
    if len(self.spec.input_shape) != 3:
      raise UserError('CutMix needs images: vectors have no rectangles')

  def mix(
    self, key: jax.Array, inputs: jax.Array, targets: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    """Returns mixed images `[batch, height, width, channels]` and targets `[batch, classes]`."""
    return cutmix(key, inputs, targets, alpha=self.alpha)


def _inside(size: int, centre: jax.Array, side: jax.Array) -> jax.Array:
  """Returns bool `[size]`: which pixels of a side the rectangle covers, whole pixels only.

  Args:
    size: The pixels of the image's side.
    centre: Of the rectangle, a share of the image's side.
    side: Of the rectangle, likewise.
  """
  middle, half = jnp.floor(centre * size), jnp.floor(side * size / 2)
  pixels = jnp.arange(size)
  return (pixels >= middle - half) & (pixels < middle + half)
