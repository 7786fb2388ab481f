"""Distances between the kernel mean embeddings of two samples.

All are of one form: with a kernel matrix K over the rows of both samples and a signed weight v for
each row, positive for the source and negative for the target, the squared distance is `v' K v`.
That is the biased estimate (a V-statistic), which is never negative. The kernels are means of
Gaussians `exp(-|x - y|^2 / width)`, whose widths are powers of 2 around the mean squared distance
of all rows; it is held constant in gradients.
"""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32, check_samples, shares
from tlda.losses._distances import gaussian_kernels


def maximum_mean_discrepancy(
  source: jax.Array,
  target: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
  kernels: int = 5,
) -> jax.Array:
  """Compares two samples by the squared distance of their mean embeddings under several kernels.

  See "Learning transferable features with deep adaptation networks" by Long et al., 2015
  (https://arxiv.org/abs/1502.02791), and "A kernel two-sample test" by Gretton et al., 2012.

  Kind: two samples.
  Minimum: 0, for equal samples.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_weights: `[source examples]`, or None for equal weights; their scale does not matter.
    target_weights: `[target examples]`, the same for the target.
    kernels: The number of Gaussians. 5 have the mean squared distance, its double, its quadruple,
      its half and its quarter as widths.

  Returns:
    A scalar, at most 2.
  """
  check_samples(source, target)
  weights = [shares(source_weights, source), -shares(target_weights, target)]
  return _squared_distance(gaussian_kernels(source, target, kernels), jnp.concatenate(weights))


def joint_maximum_mean_discrepancy(
  source_features: jax.Array,
  target_features: jax.Array,
  source_probabilities: jax.Array,
  target_probabilities: jax.Array,
  *,
  kernels: int = 5,
) -> jax.Array:
  """Compares the joint distributions of features and predictions of two samples.

  The maximum mean discrepancy under the product of a kernel of features and one Gaussian of
  predicted probabilities. See "Deep transfer learning with joint adaptation networks" by Long et
  al., 2017 (https://arxiv.org/abs/1605.06636).

  Kind: two samples.
  Minimum: 0, for equal samples.

  Args:
    source_features: `[source examples, features]`.
    target_features: `[target examples, features]`.
    source_probabilities: `[source examples, classes]`.
    target_probabilities: `[target examples, classes]`.
    kernels: The number of Gaussians of the features, as in `maximum_mean_discrepancy`.

  Returns:
    A scalar, at most 2.
  """
  check_samples(source_features, target_features)
  check_samples(source_probabilities, target_probabilities)
  chex.assert_equal_shape_prefix([source_features, source_probabilities], 1)
  chex.assert_equal_shape_prefix([target_features, target_probabilities], 1)
  joint = gaussian_kernels(source_features, target_features, kernels)
  joint *= gaussian_kernels(source_probabilities, target_probabilities, 1)
  weights = [shares(None, source_features), -shares(None, target_features)]
  return _squared_distance(joint, jnp.concatenate(weights))


def local_maximum_mean_discrepancy(
  source: jax.Array,
  target: jax.Array,
  source_labels: jax.Array,
  target_probabilities: jax.Array,
  *,
  kernels: int = 5,
) -> jax.Array:
  """Compares each class of two samples, by labels in the source and probabilities in the target.

  The mean, over the classes that both samples have, of maximum mean discrepancies in which each
  row weighs as much as it belongs to the class. See "Deep subdomain adaptation network for image
  classification" by Zhu et al., 2020 (https://arxiv.org/abs/2106.09388).

  Kind: two samples.
  Minimum: 0, where each class has equal samples.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_labels: `[source examples]`, integers in `[0, classes)`.
    target_probabilities: `[target examples, classes]`.
    kernels: The number of Gaussians, as in `maximum_mean_discrepancy`.

  Returns:
    A scalar, at most 2; 0 where no class is in both.
  """
  check_samples(source, target)
  chex.assert_rank([source_labels, target_probabilities], [1, 2])
  chex.assert_type([source_labels, target_probabilities], [int, float])
  chex.assert_equal_shape_prefix([source, source_labels], 1)
  chex.assert_equal_shape_prefix([target, target_probabilities], 1)
  probabilities = at_least_float32(target_probabilities)
  one_hot = jax.nn.one_hot(source_labels, probabilities.shape[1], dtype=probabilities.dtype)
  sums = [jnp.sum(belonging, axis=0) for belonging in (one_hot, probabilities)]
  # A row of exact zeros, or of numbers whose quotients have no digits left, is no class.
  smallest = jnp.finfo(probabilities.dtype).tiny
  there = (sums[0] > 0) & (sums[1] > smallest)
  shared = [
    jnp.where(there, belonging / jnp.where(there, total, 1), 0)
    for belonging, total in zip((one_hot, probabilities), sums, strict=True)
  ]
  weights = jnp.concatenate([shared[0], -shared[1]])
  total = _squared_distance(gaussian_kernels(source, target, kernels), weights)
  return total / jnp.maximum(jnp.sum(there), 1)


def _squared_distance(kernel: jax.Array, weights: jax.Array) -> jax.Array:
  """Returns `v' K v`, summed over the columns of `weights` if there are several."""
  return jnp.sum(weights * jnp.matmul(kernel, weights, precision=lax.Precision.HIGHEST))
