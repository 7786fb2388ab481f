"""Losses of a student that learns from a fixed teacher's predictions, features or attention."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32, row_norms
from tlda.losses.divergence import kullback_leibler


def distillation(
  student_logits: jax.Array, teacher_logits: jax.Array, *, temperature: float = 4.0
) -> jax.Array:
  """Measures how far a student's softened prediction is from its teacher's.

  Both are softened by a temperature T, and their divergence KL(teacher || student) is multiplied by
  T^2, so that its gradient is of one size for all temperatures. See "Distilling the knowledge in a
  neural network" by Hinton, Vinyals and Dean, 2015 (https://arxiv.org/abs/1503.02531). Their
  cross-entropy is larger by the teacher's entropy, which no student changes.

  Kind: paired rows.
  Minimum: 0, where the two predictions are equal.

  Args:
    student_logits: `[batch, classes]`, unnormalised log-probabilities.
    teacher_logits: `[batch, classes]`, the same of the teacher; no gradient goes there.
    temperature: What the logits are divided by, above 0.

  Returns:
    `[batch]`, in nats times T^2.
  """
  teacher = jax.lax.stop_gradient(at_least_float32(teacher_logits)) / temperature
  student = at_least_float32(student_logits) / temperature
  return temperature**2 * kullback_leibler(student, teacher)


def hint(student_features: jax.Array, teacher_features: jax.Array) -> jax.Array:
  """Takes half the mean squared difference between a student's features and its teacher's.

  See "FitNets: Hints for thin deep nets" by Romero et al., 2015 (https://arxiv.org/abs/1412.6550),
  equation 3, whose sum is a mean here, so that a weight serves layers of any size. Of feature maps
  it is the behaviour that "DELTA: Deep learning transfer using feature map with attention" by Li et
  al., 2019 (https://arxiv.org/abs/1901.09229) holds to, with equal attention to all channels.

  Kind: paired rows.
  Minimum: 0, where the features are equal.

  Args:
    student_features: `[batch, ..., features]`.
    teacher_features: `[batch, ..., features]`, of the same shape; no gradient goes there.

  Returns:
    `[batch]`.
  """
  chex.assert_type([student_features, teacher_features], float)
  chex.assert_equal_shape([student_features, teacher_features])
  teacher = jax.lax.stop_gradient(at_least_float32(teacher_features))
  gap = at_least_float32(student_features) - teacher
  return jnp.mean(jnp.square(gap), axis=tuple(range(1, gap.ndim))) / 2


def attention_transfer(student_maps: jax.Array, teacher_maps: jax.Array) -> jax.Array:
  """Measures how differently a student and its teacher attend to positions.

  The attention to a position is the sum of its squared activations over channels; that to all
  positions is scaled to length 1. See "Paying more attention to attention" by Zagoruyko and
  Komodakis, 2017 (https://arxiv.org/abs/1612.03928), equation 2; as in the authors' code, distances
  are squared.

  Kind: paired rows.
  Minimum: 0, where attention is the same, whatever its scale.

  Args:
    student_maps: `[batch, ..., channels]`, activations at positions.
    teacher_maps: `[batch, ..., channels]`, at as many positions, of any number of channels; no
      gradient goes there.

  Returns:
    `[batch]`, at most 2.
  """
  chex.assert_type([student_maps, teacher_maps], float)
  chex.assert_equal_shape_prefix([student_maps, teacher_maps], student_maps.ndim - 1)
  chex.assert_equal_rank([student_maps, teacher_maps])
  gap = _attention(student_maps) - _attention(jax.lax.stop_gradient(teacher_maps))
  return jnp.sum(jnp.square(gap), axis=1)


def _attention(maps: jax.Array) -> jax.Array:
  """Returns the attention to each position, `[batch, positions]` of length 1, or 0 of all zeros."""
  energy = jnp.sum(jnp.square(at_least_float32(maps)), axis=-1).reshape(len(maps), -1)
  norms = row_norms(energy)[:, None]
  return energy / jnp.where(norms > 0, norms, 1)
