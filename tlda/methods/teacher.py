"""A trained network that another one learns from: frozen, and seen from outside."""

import dataclasses

import jax
import jax.numpy as jnp

from tlda.methods.initialization import prediction_variables
from tlda.methods.method import STAGES, Method, Outputs, Variables


@dataclasses.dataclass(frozen=True)
class Teacher:
  """A network of its own, which predicts as it does after its training.

  Attributes:
    network: The method that trained it: its prediction path is what teaches.
    scale: From the student's inputs to the teacher's: `scale * inputs + shift`, for each channel
      (both subtract means of their own); () leaves them as they are.
    shift: The same.
    domain: The teacher's branch of per-domain normalisation.
  """

  network: Method
  scale: tuple[float, ...] = ()
  shift: tuple[float, ...] = ()
  domain: int = 0

  def variables(self) -> Variables:
    """Draws variables of its form."""
    return prediction_variables(self.network)

  def __call__(
    self, variables: Variables, inputs: jax.Array
  ) -> tuple[Outputs, dict[str, jax.Array]]:
    """Predicts.

    Args:
      variables: Of the form that `variables` draws.
      inputs: `[batch, ...]`, as the student sees them.

    Returns:
      Features and logits, and what each stage of the extractor gave (nothing where the network
      predicts by other weights than its own); all without a gradient.
    """
    if self.scale:
      inputs = inputs * jnp.asarray(self.scale) + jnp.asarray(self.shift)
    domain = jnp.full(len(inputs), self.domain, jnp.int32)
    seen, _ = self.network.detached().apply(
      variables, inputs, domain, method=_seen, mutable=[STAGES]
    )
    return jax.lax.stop_gradient(seen)


def _seen(
  method: Method, inputs: jax.Array, domain: jax.Array
) -> tuple[Outputs, dict[str, jax.Array]]:
  return method(inputs, domain), method.stages()
