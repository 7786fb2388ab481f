"""Stochastic classifiers (Lu et al., 2020)."""

import dataclasses
import math

import flax.linen as nn
import jax

from tlda.methods import needs
from tlda.methods.batch import Context, Examples
from tlda.methods.mcd import MCD
from tlda.methods.method import Phase


class Deviation(nn.Module):
  """The standard deviation of each weight, `softplus` of a parameter of the weights' shape.

  Attributes:
    initial: What it is before training, as a share of that of a head's weights.
  """

  initial: float

  @nn.compact
  def __call__(self, weights: jax.Array) -> jax.Array:
    """Returns an array of the shape of `weights`, `[d, classes]`."""
    # A head begins with weights of the deviation 1 / sqrt(d).
    deviation = self.initial / math.sqrt(len(weights))
    start = nn.initializers.constant(math.log(math.expm1(deviation)))
    return nn.softplus(self.param('kernel', start, weights.shape))


class STAR(MCD):
  """MCD whose two classifiers are drawn anew, in every pass, from a distribution that is learned.

  Lu, Yang, Zhu, Liu, Song, Xiang: *Stochastic Classifiers for Unsupervised Domain Adaptation*, CVPR
  2020. The weights of the head's last layer are Gaussian, with a mean and a deviation of their own:

    W = mean + deviation * noise, noise ~ N(0, 1)

  The three phases are those of MCD with two draws of W in place of its two classifiers; they move
  the mean (`head`) and the deviation (`deviation`). The mean predicts. All layers below, and the
  bias, are shared by the two draws.

  Departs from the authors' code: the extractor moves `repeats` times, where it moves once more; and
  in phase B each domain passes alone, where both pass together.

  Attributes:
    initial_deviation: Standard deviation of each weight before training, as a share of that of the
      means: a head's weights begin with 1 / sqrt(features), the authors' with 1 and their noise
      with softplus(-2), 0.127 (from SVHN to MNIST, 0.5).
  """

  initial_deviation: float = 0.127

  def setup(self) -> None:
    """Makes the deviation of the head's weights."""
    self.deviation = Deviation(self.initial_deviation)

  def check(self, batch_size: int) -> None:
    """Refuses what MCD refuses, and classifiers that are not random."""
    super().check(batch_size)
    needs.above(self, 0, 'initial_deviation')

  def phases(self) -> tuple[Phase, ...]:
    """Returns A, B and C of MCD, where B moves the distribution."""
    task, disagree, agree = super().phases()
    return task, dataclasses.replace(disagree, trains=('head', 'deviation')), agree

  def both(self, examples: Examples, context: Context) -> tuple[jax.Array, jax.Array]:
    """Returns the logits of two drawn classifiers for the examples of one domain."""
    examples = examples.flat()
    features = self.extractor(examples.inputs, domain=examples.domain, train=True)
    mean = self.head.variables['params']['logits']['kernel']
    noise = jax.random.normal(context.key('classifiers'), (2, *mean.shape), mean.dtype)
    one, other = mean + self.deviation(mean) * noise
    return self._logits(features, examples, one), self._logits(features, examples, other)

  def _logits(self, features: jax.Array, examples: Examples, kernel: jax.Array) -> jax.Array:
    """Passes features through the head with other weights in its last layer."""
    params = self.head.variables['params']
    params = {**params, 'logits': {**params['logits'], 'kernel': kernel}}
    keys = self.keys()
    head = self.head.clone(parent=None)
    return head.apply({'params': params}, features, domain=examples.domain, train=True, rngs=keys)
