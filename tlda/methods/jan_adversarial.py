"""Joint adaptation network with adversarial kernels (Long et al., 2017)."""

import flax.linen as nn
import jax

from tlda import axis
from tlda.methods.jan import JAN
from tlda.methods.method import Outputs
from tlda.models import gradient_reversal


class JANAdversarial(JAN):
  """Draws joint distributions together under the kernel that tells them apart best (JAN-A).

  Long, Zhu, Wang, Jordan: *Deep Transfer Learning with Joint Adaptation Networks*, ICML 2017. As in
  JAN, but with a layer theta on the features and one on the predictions below the kernels:

    min_{extractor, head} max_theta L_task + lambda(p) D(theta(f, g)_source, theta(f, g)_target)

  Both sides move in one backward pass: the gradient is reversed where it enters theta and again
  where it leaves it, so that theta alone climbs. Each theta is linear, as wide as what it sees, and
  begins as the identity; the paper says only that it is fully connected. Kernels do not change with
  the scale of their input, so that theta gains nothing by growing; their width is held fixed where
  the gradient is taken, so that it may grow all the same.

  Attributes:
    weight: The value of lambda at the end of training (the paper's 1).
    kernels: The number of Gaussian kernels of the features.
  """

  def setup(self) -> None:
    """Creates the layers of the kernels."""
    self.feature_theta = _Theta()
    self.prediction_theta = _Theta()

  def layers(self, outputs: Outputs) -> tuple[jax.Array, jax.Array]:
    """Returns what the kernels see of features and of predicted probabilities, of all devices."""
    features = self.feature_theta(outputs.features)
    predictions = self.prediction_theta(jax.nn.softmax(outputs.logits))
    return axis.gather(features), axis.gather(predictions)


class _Theta(nn.Module):
  """A linear layer that maximises what its input is to minimise."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = gradient_reversal(x, 1.0)
    x += nn.Dense(x.shape[-1], kernel_init=nn.initializers.zeros, name='dense')(x)
    return gradient_reversal(x, 1.0)
