"""MixStyle (Zhou et al., 2021)."""

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization import styles
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.generalization.mixup_across import circle
from tlda.methods.method import Terms


class MixStyle(Generalization):
  """Mixes the styles of sources within the network, in training only.

  Zhou, Yang, Qiao, Xiang: *Domain Generalization with MixStyle*, ICLR 2021. The style of a feature
  map x is the mean m and the deviation d of each channel over its positions. After early stages of
  a convolutional backbone, x gets a style between its own and that of an example x' of another
  source,

    (s d + (1 - s) d') (x - m) / d + s m + (1 - s) m',  s ~ Beta(alpha, alpha) of each example

  with no gradient through styles, and the mean risk of the sources is minimised. In each step and
  stage sources stand in a random circle, and each takes the styles of the next, in random order:
  the paper's version that knows which source an example is of.

  Attributes:
    probability: Of mixing in a step, drawn for each stage (the paper's 0.5).
    alpha: Of the Beta distribution (the paper's 0.1); the larger, the nearer to one half.
    depth: After how many of the backbone's stages, from the input on (the paper's 2 or 3 of a
      ResNet's 4). The last stage, which no layer follows that could spread a style, is left.
  """

  probability: float = 0.5
  alpha: float = 0.1
  depth: int = 2

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a probability or a distribution there is not, and no stage."""
    super().check(batch_size)
    needs.shares(self, 'probability')
    needs.above(self, 0, 'alpha')
    needs.at_least(self, 1, 'depth')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk of the sources, under mixed styles.

    Raises:
      UserError: The backbone has no stage of feature maps that another layer reads.
    """
    stages = range(1, self.depth + 1)
    mix = lambda stage, maps: self.mix(maps, context.key(f'mixstyle{stage}'))
    with styles.replaced(stages, mix) as mixed:
      outputs = self.by_source(batch)
    if not mixed:
      raise UserError('MixStyle needs a convolutional --backbone of two stages or more')
    return {'task': self.risks(outputs, batch.source).mean()}

  def mix(self, maps: jax.Array, key: jax.Array) -> jax.Array:
    """Gives feature maps the styles between their own and those of another source.

    Args:
      maps: `[sources * batch, height, width, channels]` on this device.
      key: Random key, the same on every device.

    Returns:
      An array like `maps`.
    """
    own = jax.lax.stop_gradient(styles.styles_of(maps))
    new = self._styles(own.reshape(len(self.spec.sources), -1, *own.shape[1:]), key)
    return styles.restyled(maps, own, new.reshape(own.shape))

  def _styles(self, own: jax.Array, key: jax.Array) -> jax.Array:
    """Returns the new styles of `[sources, batch, 2, channels]`, those on this device."""
    turn, order, chance, draw = jax.random.split(key, 4)
    every = axis.gather(own, axis=1)
    sources, rows = every.shape[:2]
    others = every[circle(turn, sources)][:, jax.random.permutation(order, rows)]
    shares = jax.random.beta(draw, self.alpha, self.alpha, (sources, rows, 1, 1))
    shares = jnp.where(jax.random.bernoulli(chance, self.probability), shares, 1.0)
    return axis.own(shares * every + (1 - shares) * others, axis=1)
