"""Mixup between sources (Yan et al., 2020)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Terms
from tlda.ranges import LogUniform


class MixupAcross(Generalization):
  """Learns from mixtures of two sources' examples and of their labels.

  Zhang, Cisse, Dauphin, Lopez-Paz: *mixup: Beyond Empirical Risk Minimization*, ICLR 2018, with
  partners of another domain (Yan, Song, Li, Zou, Ren: *Improve Unsupervised Domain Adaptation with
  Mixup Training*, 2020), both labelled, as in Gulrajani, Lopez-Paz: *In Search of Lost Domain
  Generalization*, ICLR 2021. In each step sources stand in a random circle, and each is mixed with
  the next:

    mean_e E l(s x + (1 - s) x', y) s + l(s x + (1 - s) x', y') (1 - s),  s ~ Beta(alpha, alpha)

  with the task loss l, (x, y) of source e and (x', y') of the next, and a share s for each source.
  Of two sources there is one circle, and each pair is mixed twice, in two shares.

  Attributes:
    alpha: Of the Beta distribution (0.2 in the comparison); the larger, the nearer to one half.
  """

  alpha: Annotated[float, LogUniform(0.1, 10.0)] = 0.2

  def check(self, batch_size: int) -> None:
    """Refuses a single source, text, which cannot be mixed, and a distribution there is not."""
    super().check(batch_size)
    needs.amounts(self)
    needs.above(self, 0, 'alpha')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the mixtures."""
    source, key = batch.source, context.key('mixup')
    order, draw = jax.random.split(key)
    partner = circle(order, len(self.spec.sources))
    shares = jax.random.beta(draw, self.alpha, self.alpha, (len(partner),))
    share = shares.reshape(-1, *[1] * (source.inputs.ndim - 1))
    mixed = share * source.inputs + (1 - share) * source.inputs[partner]
    outputs = self.by_source(Batch(source=source.replace(inputs=mixed)))
    own = self.risks(outputs, source)
    other = self.risks(outputs, source.replace(labels=source.labels[partner]))
    return {'task': jnp.mean(shares * own + (1 - shares) * other)}


def circle(key: jax.Array, count: int) -> jax.Array:
  """Returns `[count]` int32: who follows whom, where all stand in a random circle."""
  order = jax.random.permutation(key, count)
  return jnp.zeros(count, jnp.int32).at[order].set(jnp.roll(order, -1))
