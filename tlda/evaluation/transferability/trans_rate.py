"""TransRate: how many bits the features take, less those that they take within classes."""

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError
from tlda.evaluation.transferability._arrays import checked


def trans_rate(features: ArrayLike, labels: ArrayLike, *, distortion: float = 1e-4) -> float:
  """Computes the coding rate of the features, less the mean coding rate of one class.

  Huang, Huang, Rong, Yang, Wei, *Frustratingly easy transferability estimation* (ICML 2022): an
  estimate of the mutual information of features and labels. The rate of n centred examples is
  `log det(I + Z' Z / (n distortion)) / 2`. As in the paper's program, classes keep the common
  centre and count alike. It grows with the scale of the features: networks are compared at one
  layer, or with features of one scale.

  Args:
    features: `[examples, d]`, finite.
    labels: int `[examples]`, of at least 2 classes.
    distortion: The mean squared error that the code may make, in squared units of the features.

  Returns:
    A number of nats; bigger is better.

  Raises:
    UserError: The arrays do not fit, there is one class only, or the distortion is not positive.
  """
  features, labels = checked(features, labels)
  if not distortion > 0:
    raise UserError(f'the distortion is {distortion}, and must be positive')
  features = features - features.mean(0)
  classes = range(labels.max() + 1)
  within = [_rate(features[labels == label], distortion) for label in classes]
  return float(_rate(features, distortion) - np.mean(within))


def _rate(rows: np.ndarray, distortion: float) -> float:
  """Returns the coding rate of rows `[n, d]`; of both Gram matrices the smaller is taken."""
  gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
  return 0.5 * np.linalg.slogdet(np.eye(len(gram)) + gram / (len(rows) * distortion))[1]
