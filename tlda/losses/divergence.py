"""How far one prediction is from another."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def kullback_leibler(student_logits: jax.Array, teacher_logits: jax.Array) -> jax.Array:
  """Measures how many nats the teacher's prediction costs under the student's.

  `sum_k t_k (log t_k - log s_k)`, with a gradient to both. See "Virtual adversarial training" by
  Miyato et al., 2018 (https://arxiv.org/abs/1704.03976), eq. 5.

  Kind: per example.
  Minimum: 0, where the two predictions are equal.

  Args:
    student_logits: `[batch, classes]`, unnormalised log-probabilities.
    teacher_logits: `[batch, classes]`, the same of what it is compared with.

  Returns:
    `[batch]`, in nats.
  """
  chex.assert_rank([student_logits, teacher_logits], 2)
  chex.assert_type([student_logits, teacher_logits], float)
  chex.assert_equal_shape([student_logits, teacher_logits])
  student = jax.nn.log_softmax(at_least_float32(student_logits))
  teacher = jax.nn.log_softmax(at_least_float32(teacher_logits))
  return jnp.sum(jnp.exp(teacher) * (teacher - student), axis=1)
