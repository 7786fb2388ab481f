"""Test-time template adjuster (Iwasawa and Matsuo, 2021)."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Phase, States, Terms, Variables
from tlda.methods.test_time.online import Online

Supports = dict[str, jax.Array]

# The entropy of a support that is not there: above any.
EMPTY = 1e9


class T3A(Online):
  """Classifies by prototypes that gather the surest features of the stream.

  Iwasawa, Matsuo: *Test-Time Classifier Adjustment Module for Model-Agnostic Domain
  Generalization*, NeurIPS 2021, eq. 2 to 6. The supports S_k of class k begin with the weights w_k
  of the last layer; each feature z joins those of its predicted class, of which the `supports` with
  the lowest entropy stay. The answer, once the batch has joined, is the class of the largest

    z . c_k,   c_k = sum over s in S_k of s / |s|,  c_k / |c_k|

  No weight of the network moves. The entropy of a support is that of the trained last layer, whose
  bias the prototypes leave out.

  Attributes:
    supports: The most of each class (the paper's M, chosen among 1, 5, 20, 50, 100 and all).
  """

  supports: int = 100

  def check(self, batch_size: int) -> None:
    """Refuses a single class, no supports, and a head whose last layer is not linear."""
    del batch_size
    needs.classes(self)
    needs.at_least(self, 1, 'supports')
    blank = jnp.zeros((1, self.feature_size()))
    head = jax.eval_shape(self.head.init, jax.random.key(0), blank)
    if 'logits' not in head['params']:
      raise UserError('T3A makes prototypes of the weights of the last layer, which is not linear')

  def phases(self) -> tuple[Phase, ...]:
    """Returns a phase that trains nothing."""
    return (Phase('supports', trains=()),)

  def initial_states(self, variables: Variables) -> States:
    """Returns the weights of the last layer as the first support of each class, room for others.

    Features `[classes, supports, d]` and entropies `[classes, supports]`, `EMPTY` where none is.
    """
    layer = variables['params']['head']['logits']
    weights = jnp.asarray(layer['kernel']).T
    logits = weights @ layer['kernel'] + layer['bias']
    room = ((0, 0), (0, self.supports - 1))
    entropy = jnp.pad(losses.entropy(logits)[:, None], room, constant_values=EMPTY)
    features = jnp.pad(weights[:, None], (*room, (0, 0)))
    return {'bank': {'features': features, 'entropy': entropy}}

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the products with all prototypes, to which the batch has been added."""
    del context
    features, logits = self._seen(batch)
    return features @ prototypes(self._joined(features, logits))

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Lets the batch join the supports; minimises nothing."""
    features, logits = self._seen(batch)
    for name, value in self._joined(features, logits).items():
      self.put_variable('bank', name, value)
    return {'monitor/entropy': losses.entropy(logits).mean()}

  def _joined(self, features: jax.Array, logits: jax.Array) -> Supports:
    """Returns the supports with those of the batch, on all devices, that are surer."""
    return joined(self.variables['bank'], axis.gather(features), axis.gather(logits))

  def _seen(self, batch: Batch) -> tuple[jax.Array, jax.Array]:
    """Returns what the last layer is given, and its logits."""
    given = []

    def listen(
      call: Callable[..., Any],
      args: tuple[Any, ...],
      options: dict[str, Any],
      context: nn.module.InterceptorContext,
    ) -> Any:
      if context.module.path == ('head', 'logits'):
        given.append(args[0])
      return call(*args, **options)

    with nn.intercept_methods(listen):
      outputs = self.forward(batch.target.inputs, batch.target.domain, train=False)
    return given[-1], outputs.logits


def joined(supports: Supports, features: jax.Array, logits: jax.Array) -> Supports:
  """Returns the supports of lowest entropy, of those that were and of new ones.

  Args:
    supports: 'features' `[classes, m, d]` and 'entropy' `[classes, m]`.
    features: `[n, d]`, the new ones.
    logits: `[n, classes]`, which say the class that each joins.
  """
  entropy, member = losses.entropy(logits), logits.argmax(axis=-1)

  def of_class(old: Supports, label: jax.Array) -> Supports:
    every = jnp.concatenate([old['entropy'], jnp.where(member == label, entropy, EMPTY)])
    _, places = jax.lax.top_k(-every, len(old['entropy']))
    rows = jnp.concatenate([old['features'], features])
    return {'features': rows[places], 'entropy': every[places]}

  return jax.vmap(of_class)(supports, jnp.arange(len(supports['entropy'])))


def prototypes(supports: Supports) -> jax.Array:
  """Returns `[d, classes]`, of each class the sum of its supports' directions, of length 1."""
  unit = _unit(supports['features'])
  there = (supports['entropy'] < EMPTY)[..., None]
  return _unit(jnp.where(there, unit, 0).sum(axis=1)).T


def _unit(vectors: jax.Array) -> jax.Array:
  return vectors / jnp.maximum(jnp.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
