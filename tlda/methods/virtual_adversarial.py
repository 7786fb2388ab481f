"""Virtual adversarial training (Miyato et al., 2018): a term for any method.

Miyato, Maeda, Koyama, Ishii: *Virtual Adversarial Training: A Regularization Method for Supervised
and Semi-Supervised Learning*, TPAMI 41 (2018). Predictions are made smooth where they change most:

  max_{|r| <= radius} KL(p(x) || p(x + r))

with p(x) held. Near x this is a quadratic form in r, whose matrix is the Fisher information pulled
back to the inputs, `J^T (diag(p) - p p^T) J`; one power iteration from a random direction finds r.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods.batch import Context, Examples
from tlda.methods.method import Method

Logits = Callable[[jax.Array], jax.Array]


def virtual_adversarial(
  method: Method, examples: Examples, logits: jax.Array, context: Context, radius: float
) -> jax.Array:
  """Returns how far each prediction moves when its input is moved, little, in the worst direction.

  Args:
    method: The bound method, whose `forward` predicts; what its passes write here is dropped.
    examples: A flat batch; normalised as one, so that it should be all that was when `logits` were
      computed.
    logits: `[batch, classes]`, the predictions that stay; they get no gradient.
    context: Of the phase.
    radius: The length of the move.

  Returns:
    `[batch]`, in nats.
  """

  def predict(variables: dict | None) -> Logits:
    forward = method.pure('forward', variables)
    return lambda inputs: forward(inputs, examples.domain, train=True).logits

  draw = lambda key: jax.random.normal(key, examples.inputs.shape[1:])
  noise = jax.vmap(draw)(context.keys('virtual adversarial', examples))
  held = predict(jax.lax.stop_gradient(method.variables))
  move = radius * worst_direction(held, examples.inputs, noise)
  moved = predict(None)(examples.inputs + jax.lax.stop_gradient(move))
  return losses.kullback_leibler(moved, jax.lax.stop_gradient(logits))


def worst_direction(predict: Logits, inputs: jax.Array, noise: jax.Array) -> jax.Array:
  """Makes one power iteration with the Fisher information of predictions about inputs.

  The product with the matrix is exact: no finite difference, whose rounding errors would be all
  that is left where predictions hardly change.

  Args:
    predict: Inputs to logits.
    inputs: `[batch, ...]`.
    noise: Like `inputs`, where the iteration begins.

  Returns:
    Like `inputs`, of length 1 for each example, or 0 where no direction changes its prediction.
  """
  logits, push = jax.linearize(predict, inputs)
  probabilities = jax.nn.softmax(logits)
  change = probabilities * push(_unit(noise))
  change -= probabilities * change.sum(axis=1, keepdims=True)
  return _unit(jax.linear_transpose(push, inputs)(change)[0])


def _unit(x: jax.Array) -> jax.Array:
  """Scales each example to length 1; zeros stay."""
  axes = tuple(range(1, x.ndim))
  largest = jnp.max(jnp.abs(x), axis=axes, keepdims=True)
  scaled = x / jnp.where(largest > 0, largest, 1.0)  # Squares of small numbers would vanish.
  norm = jnp.sqrt(jnp.sum(jnp.square(scaled), axis=axes, keepdims=True))
  return scaled / jnp.where(norm > 0, norm, 1.0)
