"""What tests of domain generalisation work out in float64: risks by source, and a linear model."""

import functools
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from tests.methods.probe import Probe, softmax
from tlda.methods import Batch, Context, Method


class Flat(nn.Module):
  """An extractor without weights: with a linear head, the network is a linear model."""

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    return ()

  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    return inputs.reshape(len(inputs), -1)


def logits(here: Probe) -> np.ndarray:
  """The logits of all sources in one pass, `[sources, examples, classes]`."""
  (outputs,), labels = here.outputs(), np.asarray(here.batch.source.labels)
  return np.asarray(outputs.logits, np.float64).reshape(*labels.shape, -1)


def cross_entropy(logits: np.ndarray, labels: Any) -> np.ndarray:
  """The cross-entropy of each example, of any number of dimensions before the classes."""
  rows = softmax(logits.reshape(-1, logits.shape[-1])).reshape(logits.shape)
  return -np.log(np.take_along_axis(rows, np.asarray(labels)[..., None], axis=-1))[..., 0]


def risks(here: Probe) -> np.ndarray:
  """The mean cross-entropy of each source."""
  return cross_entropy(logits(here), here.batch.source.labels).mean(axis=1)


class LinearModel:
  """Softmax regression on the rows of some sources: its risk, gradient and Hessian products.

  Weights are `[inputs + 1, classes]`, the last row the bias.
  """

  def __init__(self, here: Probe, sources: list[int]) -> None:
    examples = here.batch.source
    inputs = np.concatenate([np.asarray(examples.inputs[each], np.float64) for each in sources])
    inputs = inputs.reshape(len(inputs), -1)
    self.inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    self.labels = np.concatenate([np.asarray(examples.labels[each]) for each in sources])

  def risk(self, weights: np.ndarray) -> float:
    """The mean cross-entropy."""
    return cross_entropy(self.inputs @ weights, self.labels).mean()

  def gradient(self, weights: np.ndarray) -> np.ndarray:
    """X^T (P - Y) / n."""
    probabilities = softmax(self.inputs @ weights)
    return self.inputs.T @ (probabilities - np.eye(3)[self.labels]) / len(self.labels)

  def curved(self, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The Hessian times a direction: X^T (P * (Z - sum P Z)) / n, with Z = X direction."""
    probabilities, change = softmax(self.inputs @ weights), self.inputs @ direction
    change -= (probabilities * change).sum(axis=1, keepdims=True)
    return self.inputs.T @ (probabilities * change) / len(self.labels)


def joined(tree: Any) -> np.ndarray:
  """Weights or gradients of a linear head in one array, as `LinearModel` has them."""
  dense = tree['head']['logits']
  return np.concatenate([dense['kernel'], dense['bias'][None]]).astype(np.float64)


def phase_gradients(here: Probe) -> tuple[Any, Any]:
  """What `Method.gradients` returns on one device: gradients, and (terms, states)."""
  return _gradients(here.state.params, here.state.states, here.batch, here.context, here.method)


@functools.partial(jax.jit, static_argnames='method')
def _gradients(params: Any, states: Any, batch: Batch, context: Context, method: Method) -> Any:
  def objective(params: Any, batch: Batch) -> Any:
    variables = {'params': params, **states}
    terms, written = method.apply(
      variables, batch, context, method='objective', mutable=list(states)
    )
    return sum(terms.values()), (terms, written)

  return method.gradients(objective, params, batch)
