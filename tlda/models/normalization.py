"""Batch normalisation: of all examples together, of each domain apart, frozen, or half of it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from tlda import axis
from tlda.errors import UserError, nearest

MODES = ('joint', 'per_domain', 'frozen', 'ibn')


class Normalization(nn.Module):
  """Batch normalisation (Ioffe and Szegedy, 2015) whose batch is that of all devices.

  `joint` takes one mean and variance of the whole batch. `per_domain` takes those of each domain,
  with scale, bias and running statistics of its own (Chang, You, Seo, Kwak, Han: *Domain-Specific
  Batch Normalization for Unsupervised Domain Adaptation*, CVPR 2019); examples of several domains
  may be mixed in a batch in any order. `frozen` always takes the running statistics and never moves
  them. `ibn` is `joint` for the second half of the channels; each of the first half is normalised
  over the positions of its own example, in training and after (Pan, Luo, Shi, Tang: *Two at Once:
  Enhancing Learning and Generalization Capacities via IBN-Net*, ECCV 2018), so that contrast and
  colour of an image do not reach it. Its parameters have the same names and shapes; the running
  statistics of the first half are kept and never taken. What has no positions is `joint`.

  Running statistics lie in the collection 'batch_stats' (`mean`, `var`), float32, and follow
  `momentum * old + (1 - momentum) * batch` with the biased variance. A domain without examples in
  the batch keeps its own. Statistics are computed in at least float32; the result has the dtype of
  `x`.

  Attributes:
    mode: One of `MODES`.
    domains: The number of branches of `per_domain`.
    momentum: The share of the running statistics that a training step keeps.
    epsilon: Added to the variance.
    moving: The probability with which, in training, a channel takes the running statistics and not
      the batch's (`StochasticNormalization`; needs the key 'normalization').
  """

  mode: str = 'joint'
  domains: int = 2
  momentum: float = 0.9
  epsilon: float = 1e-5
  moving: float = 0.0

  @nn.compact
  def __call__(
    self, x: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Normalises each channel.

    Args:
      x: `[batch, ..., channels]`.
      domain: int or int `[batch]`, the branch of `per_domain`.
      train: Whether to take the statistics of the batch, and update the running ones ('batch_stats'
        must be mutable).

    Returns:
      An array like `x`.

    Raises:
      UserError: There is no such mode.
    """
    if self.mode not in MODES:
      raise UserError(nearest('normalization', self.mode, MODES))
    branches = self.domains if self.mode == 'per_domain' else 1
    shape = (branches, x.shape[-1]) if self.mode == 'per_domain' else x.shape[-1:]
    scale = self.param('scale', nn.initializers.ones, shape)
    bias = self.param('bias', nn.initializers.zeros, shape)
    mean = self.variable('batch_stats', 'mean', jnp.zeros, shape, jnp.float32)
    var = self.variable('batch_stats', 'var', jnp.ones, shape, jnp.float32)

    branch = jnp.broadcast_to(domain if self.mode == 'per_domain' else 0, x.shape[:1])
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    centre, spread = mean.value, var.value
    if train and self.mode != 'frozen':
      before = mean.value, var.value
      centre, spread, count = _moments(wide, branch, branches)
      if not self.is_initializing():
        seen = (count > 0).reshape(*shape[:-1], 1)
        for running, batch in ((mean, centre), (var, spread)):
          new = self.momentum * running.value + (1 - self.momentum) * batch.reshape(shape)
          running.value = jnp.where(seen, new, running.value)
        centre, spread = self._mixed((centre, spread), before)
    gain = scale * lax.rsqrt(spread.reshape(shape) + self.epsilon)
    centre, gain, bias = (_of_rows(values, branch, x.ndim) for values in (centre, gain, bias))
    if self.mode == 'ibn' and x.ndim > 2:
      centre, gain = self._half(wide, scale, centre, gain)
    return ((wide - centre) * gain + bias).astype(x.dtype)

  def _half(
    self, x: jax.Array, scale: jax.Array, centre: jax.Array, gain: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    """Puts those of each example in the place of the batch's centre and gain, in the first half."""
    positions = tuple(range(1, x.ndim - 1))
    first = jnp.arange(x.shape[-1]) < x.shape[-1] // 2
    own = scale * lax.rsqrt(x.var(positions, keepdims=True) + self.epsilon)
    return (
      jnp.where(first, x.mean(positions, keepdims=True), centre),
      jnp.where(first, own, gain),
    )

  def _mixed(
    self, batch: tuple[jax.Array, ...], running: tuple[jax.Array, ...]
  ) -> tuple[jax.Array, ...]:
    """Puts running statistics in the place of the batch's for a share of the channels."""
    if not self.moving:
      return batch
    channels = batch[0].shape[-1:]
    chosen = jax.random.bernoulli(self.make_rng('normalization'), self.moving, channels)
    pairs = zip(batch, running, strict=True)
    return tuple(jnp.where(chosen, old.reshape(own.shape), own) for own, old in pairs)


def _of_rows(values: jax.Array, branch: jax.Array, ndim: int) -> jax.Array:
  """Picks each example's row of `[branches, channels]`: `[batch, 1, ..., channels]`."""
  rows = values.reshape(-1, values.shape[-1])[branch]
  return jnp.expand_dims(rows, range(1, ndim - 1))


def _moments(
  x: jax.Array, branch: jax.Array, branches: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Returns mean and variance `[branches, channels]` and examples `[branches]` of all devices.

  The variance is that of the centred values: E[x^2] - E[x]^2 loses float32's digits where the mean
  is large.
  """
  members = jax.nn.one_hot(branch, branches, dtype=x.dtype)
  count = axis.sum(members.sum(0))

  def average(values: jax.Array) -> jax.Array:
    of_examples = values.mean(tuple(range(1, values.ndim - 1)))
    total = jnp.einsum('nb,nc->bc', members, of_examples, precision=lax.Precision.HIGHEST)
    return axis.sum(total) / jnp.maximum(count, 1)[:, None]

  mean = average(x)
  return mean, average(jnp.square(x - _of_rows(mean, branch, x.ndim))), count
