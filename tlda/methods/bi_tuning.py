"""Bi-tuning of pre-trained representations (Zhong et al., 2020)."""

from typing import Annotated, Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.directions import unit
from tlda.methods.method import Method, States, Terms, Variables
from tlda.methods.target_only import TargetOnly
from tlda.models import Linear
from tlda.ranges import LogUniform

# What has a slowly moving copy, which makes the keys.
_COPIED = ('extractor', 'projector')


class BiTuning(TargetOnly):
  """Contrasts each example with keys of all classes, by the classifier and by a projection.

  Zhong, Wang, Kou, Wang, Long: *Bi-tuning of Pre-trained Representations*, 2020
  (https://arxiv.org/abs/2011.06182). Keys are features of earlier examples, the last few of each
  class, made by a slowly moving average of the network (as in MoCo: He et al., CVPR 2020). With the
  class's weights w_y (and its bias, beside a feature of 1), features h, projections z, all of norm
  1, and the positives P of the example's own class,

    L_task - weight (mean_P log p_y(h) + mean_P log p_x(z)),
    p_y(h) = exp(w_y h / temperature) / sum_keys exp(w_y h' / temperature)
    p_x(z) = exp(z_x z / temperature) / sum_keys exp(z_x z' / temperature)

  which are its contrastive cross-entropy (over examples, where the task loss is over classes) and
  its categorical contrastive loss. The example's own h, and the key of its other view, are among
  the keys, and are positives. As in the authors' code, w is held in the former.

  Departs from that code: a place in the queue that was not filled yet is left out, where it has
  random numbers there.

  Attributes:
    weight: Of both contrasts (the paper's 1).
    keys_per_class: How many are kept of each class.
    momentum: The share of itself that the network of the keys keeps at each step.
    temperature: What similarities are divided by.
    projection: The width of the projection.
  """

  views: ClassVar[tuple[str, ...]] = ('weak',)

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  keys_per_class: int = 40
  momentum: float = 0.999
  temperature: float = 0.07
  projection: int = 128

  def setup(self) -> None:
    """Makes the projection."""
    self.projector = nn.Dense(self.projection)

  def check(self, batch_size: int) -> None:
    """Refuses one class, texts, a head that is not linear, and fields that make no sense."""
    del batch_size
    needs.classes(self)
    needs.amounts(self)
    if not isinstance(self.head, Linear):
      raise UserError(
        'BiTuning compares features with the weights of classes: the head must be one'
        ' dense layer (choose another --backbone)'
      )
    needs.at_least(self, 0, 'weight')
    needs.at_least(self, 1, 'keys_per_class', 'projection')
    needs.above(self, 0, 'temperature')
    needs.shares(self, 'momentum')

  def initial_states(self, variables: Variables) -> States:
    """Returns the network of the keys, and an empty queue."""
    place = (self.spec.classes, self.keys_per_class)
    queue = {
      'features': jnp.zeros((*place, self.feature_size() + 1)),
      'projections': jnp.zeros((*place, self.projection)),
      'seen': jnp.zeros(self.spec.classes, jnp.int32),
    }
    return {'key_network': {'params': _copied(variables['params'])}, 'queue': queue}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss and the two contrasts."""
    del context
    (target,), examples = self.outputs(batch), batch.target
    own = {'features': with_one(target.features), 'projections': self.projected(target.features)}
    params = {**self.variables['params'], **self.variables['key_network']['params']}
    make_keys = self.pure(_keys, {**self.variables, 'params': params})
    keys = jax.lax.stop_gradient(make_keys(examples.views['weak'], examples.domain))
    weights = jax.lax.stop_gradient(self.class_weights())[examples.labels]
    by_class = self.contrast(weights, own['features'], 'features', examples.labels)
    by_example = self.contrast(
      own['projections'], keys['projections'], 'projections', examples.labels
    )
    self.remember(keys, examples.labels)
    return {
      'task': self.task_loss(target, examples),
      'class_contrast': self.weight * by_class.mean(),
      'example_contrast': self.weight * by_example.mean(),
    }

  def projected(self, features: jax.Array) -> jax.Array:
    """Returns the projection of features, `[batch, projection]` of norm 1."""
    return unit(self.projector(features))

  def class_weights(self) -> jax.Array:
    """Returns the weights and the bias of each class, `[classes, features + 1]` of norm 1."""
    dense = self.head.variables['params']['logits']
    return unit(jnp.concatenate([dense['kernel'].T, dense['bias'][:, None]], axis=1))

  def contrast(self, queries: jax.Array, own: jax.Array, name: str, labels: jax.Array) -> jax.Array:
    """Compares each query with a key of its own and with the queue.

    Args:
      queries: `[batch, d]`, of norm 1.
      own: `[batch, d]`, the key that belongs to each.
      name: Which part of the queue to compare with.
      labels: `[batch]`.

    Returns:
      `[batch]`, in nats.
    """
    queue, seen = (self.get_variable('queue', part) for part in (name, 'seen'))
    classes, places, width = queue.shape
    queued = jnp.matmul(queries, queue.reshape(-1, width).T, precision='highest')
    likeness = jnp.concatenate([jnp.sum(queries * own, axis=1, keepdims=True), queued], axis=1)
    filled = jnp.arange(places) < seen[:, None]
    of_class = jnp.arange(classes)[:, None] == labels[:, None, None]
    flat = lambda mask: jnp.broadcast_to(mask, (len(labels), classes, places)).reshape(
      len(labels), -1
    )
    first = jnp.ones((len(labels), 1), bool)
    keys = jnp.concatenate([first, flat(filled)], axis=1)
    positives = jnp.concatenate([first, flat(filled & of_class)], axis=1)
    return several_positives(likeness / self.temperature, keys, positives)

  def remember(self, keys: dict[str, jax.Array], labels: jax.Array) -> None:
    """Writes the keys of all devices into the queue, in the place of each class's oldest."""
    labels = axis.gather(labels)
    seen = self.get_variable('queue', 'seen')
    place = places_of(labels, seen, self.keys_per_class)
    for name, rows in keys.items():
      old = self.get_variable('queue', name)
      new = old.at[labels, place].set(axis.gather(rows), mode='drop')
      self.put_variable('queue', name, new)
    self.put_variable('queue', 'seen', seen.at[labels].add(1))

  def after_update(self, variables: Any, context: Context) -> States:
    """Moves the network of the keys towards the new weights."""
    del context
    average = lambda old, new: self.momentum * old + (1 - self.momentum) * new
    old, new = variables['key_network']['params'], _copied(variables['params'])
    return {'key_network': {'params': jax.tree.map(average, old, new)}}


def several_positives(logits: jax.Array, keys: jax.Array, positives: jax.Array) -> jax.Array:
  """Measures how far a distribution over keys is from giving all its mass to the positives, alike.

  Args:
    logits: `[batch, keys]`.
    keys: bool `[batch, keys]`, which are there.
    positives: bool `[batch, keys]`, which of these should be likely; one at least.

  Returns:
    `[batch]`: the mean of -log p over the positives, in nats.
  """
  costs = jax.nn.logsumexp(logits, axis=1, where=keys, keepdims=True) - logits
  return jnp.where(positives, costs, 0).sum(axis=1) / positives.sum(axis=1)


def places_of(labels: jax.Array, seen: jax.Array, size: int) -> jax.Array:
  """Returns where each example of a batch goes in the ring of its class.

  Args:
    labels: `[batch]`.
    seen: int32 `[classes]`, how many examples of each class went before.
    size: The places of a ring.

  Returns:
    int32 `[batch]`; `size`, which is no place, where the ring ends with later ones of the batch.
  """
  alike = labels[:, None] == labels
  earlier = jnp.tril(alike, -1).sum(axis=1)
  later = jnp.triu(alike, 1).sum(axis=1)
  return jnp.where(later < size, (seen[labels] + earlier) % size, size)


def with_one(features: jax.Array) -> jax.Array:
  """Returns features with a 1 beside them, for the bias: `[batch, features + 1]` of norm 1."""
  return unit(jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1))


def _keys(method: Method, inputs: jax.Array, domain: jax.Array) -> dict[str, jax.Array]:
  features = method.extractor(inputs, domain=domain, train=True)
  return {'features': with_one(features), 'projections': method.projected(features)}


def _copied(params: Variables) -> Variables:
  return {group: params[group] for group in _COPIED if group in params}
