"""Distances between the moments of two samples."""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32, check_samples, shares


def coral(
  source: jax.Array,
  target: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
) -> jax.Array:
  """Compares the covariances of two samples, by the squared Frobenius norm over `4 features^2`.

  See "Deep CORAL: Correlation alignment for deep domain adaptation" by Sun and Saenko, 2016
  (https://arxiv.org/abs/1607.01719).

  Kind: two samples.
  Minimum: 0, for equal covariances, whatever the means.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_weights: `[source examples]`, or None for equal weights; their scale does not matter.
    target_weights: `[target examples]`, the same for the target.

  Returns:
    A scalar. A sample of one example has the covariance 0.
  """
  check_samples(source, target)
  difference = _covariance(source, source_weights) - _covariance(target, target_weights)
  return jnp.sum(difference**2) / (4 * source.shape[1] ** 2)


def _covariance(sample: jax.Array, weights: jax.Array | None) -> jax.Array:
  """Returns the unbiased covariance `[features, features]`: divided by n - 1 for equal weights."""
  share, sample = shares(weights, sample), at_least_float32(sample)
  centered = sample - _mean(share, sample)
  scatter = jnp.matmul((share[:, None] * centered).T, centered, precision=lax.Precision.HIGHEST)
  freedom = 1 - jnp.sum(share**2)
  return scatter / jnp.where(freedom > 1e-6, freedom, 1)


def central_moment_discrepancy(
  source: jax.Array,
  target: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
  moments: int = 5,
  span: float = 1.0,
) -> jax.Array:
  """Compares the means and the central moments of each feature of two samples.

  The sum of the Euclidean norms of their differences, that of order k divided by `span^k`. See
  "Central moment discrepancy (CMD) for domain-invariant representation learning" by Zellinger et
  al., 2017 (https://arxiv.org/abs/1702.08811).

  Kind: two samples.
  Minimum: 0, for equal moments.

  Args:
    source: `[source examples, features]`, within an interval of length `span`.
    target: `[target examples, features]`, the same.
    source_weights: `[source examples]`, or None for equal weights; their scale does not matter.
    target_weights: `[target examples]`, the same for the target.
    moments: The highest order.
    span: The length of the interval that the features lie in.

  Returns:
    A scalar.
  """
  check_samples(source, target)
  chex.assert_scalar_positive(moments)
  chex.assert_scalar_positive(span)
  samples = [at_least_float32(x) / span for x in (source, target)]
  share = [shares(w, x) for w, x in zip((source_weights, target_weights), samples, strict=True)]
  means = [_mean(w, x) for w, x in zip(share, samples, strict=True)]
  centered = [x - mean for x, mean in zip(samples, means, strict=True)]
  total = _norm(means[0] - means[1])
  for order in range(2, moments + 1):
    central = [_mean(w, x**order) for w, x in zip(share, centered, strict=True)]
    total += _norm(central[0] - central[1])
  return total


def _mean(share: jax.Array, x: jax.Array) -> jax.Array:
  """Returns the weighted mean of rows; as a sum, since products of matrices are rounded on TPUs."""
  return jnp.sum(share[:, None] * x, axis=0)


def _norm(x: jax.Array) -> jax.Array:
  """Returns the Euclidean norm, whose gradient is 0 at 0; high moments are squared in safety."""
  largest = lax.stop_gradient(jnp.max(jnp.abs(x)))
  scale = jnp.where(largest > 0, largest, 1)
  squared = jnp.sum((x / scale) ** 2)
  return jnp.where(largest > 0, scale * jnp.sqrt(jnp.where(largest > 0, squared, 1)), 0)
