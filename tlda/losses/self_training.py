"""Losses of a network that teaches itself on unlabelled examples."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32
from tlda.losses.classification import cross_entropy


def confident_cross_entropy(
  weak_logits: jax.Array, strong_logits: jax.Array, *, threshold: float = 0.95
) -> jax.Array:
  """Scores a prediction against the class that a weaker view of the same example is sure of.

  Where the weak view is less sure than the threshold, the loss is 0. See "FixMatch: Simplifying
  semi-supervised learning with consistency and confidence" by Sohn et al., 2020
  (https://arxiv.org/abs/2001.07685), equation 4. With one array for both views and no threshold it
  is that of "Pseudo-label" by Lee, 2013.

  Kind: paired rows.
  Minimum: 0, where the strong view gives the label all the mass, or the weak view is unsure.

  Args:
    weak_logits: `[batch, classes]`, of the view that gives the labels; no gradient goes there.
    strong_logits: `[batch, classes]`, of the view that learns them.
    threshold: The smallest probability of a class, in `[0, 1]`, that makes it a label.

  Returns:
    `[batch]`, in nats.
  """
  chex.assert_rank([weak_logits, strong_logits], 2)
  chex.assert_type([weak_logits, strong_logits], float)
  chex.assert_equal_shape([weak_logits, strong_logits])
  probabilities = jax.lax.stop_gradient(jax.nn.softmax(at_least_float32(weak_logits)))
  is_sure = jnp.max(probabilities, axis=1) >= threshold
  return is_sure * cross_entropy(strong_logits, jnp.argmax(probabilities, axis=1))


def consistency(
  student_probabilities: jax.Array, teacher_probabilities: jax.Array, *, threshold: float = 0.968
) -> jax.Array:
  """Measures how far a student is from its teacher, where the teacher is sure.

  See "Self-ensembling for visual domain adaptation" by French, Mackiewicz and Fisher, 2018
  (https://arxiv.org/abs/1706.05208).

  Kind: paired rows.
  Minimum: 0, where both agree, or the teacher is unsure.

  Args:
    student_probabilities: `[batch, classes]`, of what learns.
    teacher_probabilities: `[batch, classes]`, of what it learns from; no gradient goes there.
    threshold: The teacher's largest probability must be above this, in `[0, 1]`.

  Returns:
    `[batch]`, the mean of the squared differences over classes.
  """
  chex.assert_rank([student_probabilities, teacher_probabilities], 2)
  chex.assert_type([student_probabilities, teacher_probabilities], float)
  chex.assert_equal_shape([student_probabilities, teacher_probabilities])
  teacher = jax.lax.stop_gradient(at_least_float32(teacher_probabilities))
  is_sure = jnp.max(teacher, axis=1) > threshold
  gap = at_least_float32(student_probabilities) - teacher
  return is_sure * jnp.mean(jnp.square(gap), axis=1)


def class_balance(probabilities: jax.Array) -> jax.Array:
  """Measures how far the mean prediction of a batch is from all classes alike.

  The binary cross-entropy between a uniform distribution and the mean prediction, summed over
  classes. See "Self-ensembling for visual domain adaptation" by French, Mackiewicz and Fisher, 2018
  (https://arxiv.org/abs/1706.05208).

  Kind: one sample.
  Minimum: `classes` times the entropy of a coin that falls heads once in `classes`, where the mean
  is uniform.

  Args:
    probabilities: `[batch, classes]`, of at least two classes.

  Returns:
    A scalar, in nats.
  """
  chex.assert_rank(probabilities, 2)
  chex.assert_type(probabilities, float)
  mean = jnp.mean(at_least_float32(probabilities), axis=0)
  mean = jnp.clip(mean, 1e-6, 1 - 1e-6)  # A class that has all or nothing costs a finite amount.
  uniform = 1 / len(mean)
  return -jnp.sum(uniform * jnp.log(mean) + (1 - uniform) * jnp.log1p(-mean))
