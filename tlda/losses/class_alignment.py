"""Losses that bring classes together across domains, by labels and pseudo-labels."""

import functools

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32
from tlda.losses._distances import gaussian_kernels

# Gaussian kernels: a quarter to four times the mean squared distance wide.
KERNELS = 5


def centroid_alignment(source_centroids: jax.Array, target_centroids: jax.Array) -> jax.Array:
  """Sums the squared distances between the centroids of each class in two domains.

  See "Learning semantic representations for unsupervised domain adaptation" by Xie, Zheng, Chen and
  Chen, ICML 2018 (http://proceedings.mlr.press/v80/xie18c.html).

  Kind: two samples.
  Minimum: 0, where each class has one centroid in both domains.

  Args:
    source_centroids: `[classes, features]`.
    target_centroids: `[classes, features]`.

  Returns:
    A scalar.
  """
  chex.assert_rank([source_centroids, target_centroids], 2)
  chex.assert_type([source_centroids, target_centroids], float)
  chex.assert_equal_shape([source_centroids, target_centroids])
  gap = at_least_float32(source_centroids) - at_least_float32(target_centroids)
  return jnp.sum(jnp.square(gap))


def contrastive_domain_discrepancy(
  source: jax.Array,
  target: jax.Array,
  source_labels: jax.Array,
  target_labels: jax.Array,
  *,
  classes: int,
) -> jax.Array:
  """Measures how far a class is from itself in the other domain, less how far from other classes.

  The distance of class c in the source to class d in the target is the squared maximum mean
  discrepancy of their examples, by a sum of five Gaussian kernels. The loss is the mean distance of
  equal classes minus that of unlike ones, over the classes that both samples have. See "Contrastive
  adaptation network for unsupervised domain adaptation" by Kang et al., 2019
  (https://arxiv.org/abs/1901.00976), equations 3 to 5.

  The widths of the kernels are those of the whole batch, a quarter to four times the mean squared
  distance of two examples; no gradient goes there.

  Kind: two samples.
  Minimum: above -10, and not reached: two points for each kernel.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_labels: `[source examples]`, integers; an example without one below `classes`, or with a
      negative one, is left out.
    target_labels: `[target examples]`, the same for the target.
    classes: The number of classes.

  Returns:
    A scalar; 0 where no class is in both samples.
  """
  chex.assert_rank([source, target, source_labels, target_labels], [2, 2, 1, 1])
  chex.assert_type([source, target, source_labels, target_labels], [float, float, int, int])
  chex.assert_equal_shape_prefix([source, source_labels], 1)
  chex.assert_equal_shape_prefix([target, target_labels], 1)
  chex.assert_equal_shape_suffix([source, target], 1)
  count, kernel = len(source), KERNELS * gaussian_kernels(source, target, KERNELS)
  (of_source, source_seen), (of_target, target_seen) = (
    _class_means(labels, classes, kernel.dtype) for labels in (source_labels, target_labels)
  )
  # All products in full precision: what is left of their difference is small.
  sums = functools.partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)
  within = lambda mean, kernel: sums('cn,nm,cm->c', mean, kernel, mean)
  distances = (
    within(of_source, kernel[:count, :count])[:, None]
    + within(of_target, kernel[count:, count:])[None, :]
    - 2 * sums('cn,nm,dm->cd', of_source, kernel[:count, count:], of_target)
  )
  seen = (source_seen & target_seen).astype(kernel.dtype)
  pairs, same = seen[:, None] * seen[None, :], jnp.eye(classes, dtype=kernel.dtype)
  mean = lambda mask: jnp.sum(mask * distances) / jnp.maximum(jnp.sum(mask), 1)
  return mean(pairs * same) - mean(pairs * (1 - same))


def _class_means(labels: jax.Array, classes: int, dtype: jnp.dtype) -> tuple[jax.Array, jax.Array]:
  """Returns `[classes, examples]`, which takes the mean of each class, and which classes occur."""
  members = jax.nn.one_hot(labels, classes, dtype=dtype, axis=0)
  count = jnp.sum(members, axis=1, keepdims=True)
  return members / jnp.maximum(count, 1), count[:, 0] > 0
