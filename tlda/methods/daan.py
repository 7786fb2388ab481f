"""Dynamic adversarial adaptation network (Yu et al., 2019)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import Outputs, States, Terms, Variables
from tlda.models import gradient_reversal


class DAAN(DANN):
  """Aligns the domains as a whole and class by class, and learns which of the two matters more.

  Yu, Wang, Chen, Huang: *Transfer Learning with Dynamic Adversarial Adaptation Network*, ICDM 2019.
  Beside DANN's domain classifier there is one for each class c, which sees the features times the
  predicted probability g_c:

    L_task - lambda(p) ((1 - omega) L_global + omega sum_c L_c)

  After each epoch of the source omega is `1 - d / (d + mean_c d_c)`, so that the larger divergence
  weighs more: d = 2 (1 - 2 error) is the A-distance that a domain classifier's mean error of the
  epoch gives, d_c the same of the examples of class c, which are counted by g_c. omega begins at
  one half.

  Departs from the paper, with the authors' code: there omega is the complement of this, and begins
  at 1. Departs from both: they take losses for errors, which can make distances negative. Departs
  from the code, which multiplies L_global by 0.1 and each L_c by 0.02 and reverses no gradient to
  g_c.

  Attributes:
    domain_classifier: Tells source features from target features; those of the classes are like it.
  """

  def setup(self) -> None:
    """Makes the classes' domain classifiers, whose weights are stacked along a leading axis."""
    self.class_classifiers = self.domain_classifier.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, which has nothing to balance."""
    super().check(batch_size)
    needs.classes(self)

  def initial_states(self, variables: Variables) -> States:
    """Returns omega, and the errors (of all, then of each class) that the epoch has summed."""
    errors = jnp.zeros(1 + self.spec.classes)
    return {'balance': {'omega': jnp.float32(0.5), 'errors': errors, 'steps': jnp.int32(0)}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns DANN's terms, of the balanced domain loss, and omega."""
    omega = self.get_variable('balance', 'omega')
    return {**super().objective(batch, context), 'monitor/omega': omega}

  def domain_loss(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    """Returns the balanced loss of all domain classifiers; features and logits get it reversed."""
    reverse = lambda x: gradient_reversal(x, self.weight * context.ramp())
    reversed_ = [jax.tree.map(reverse, outputs) for outputs in (source, target)]
    whole = [self.domain_classifier(x.features, train=True) for x in reversed_]
    by_class = [self._by_class(x) for x in reversed_]
    omega = self.get_variable('balance', 'omega')
    self._count(whole, by_class, [jax.nn.softmax(x.logits) for x in (source, target)])
    of_classes = jax.vmap(losses.domain_adversarial, in_axes=1)(*by_class).sum()
    return (1 - omega) * losses.domain_adversarial(*whole) + omega * of_classes

  def _by_class(self, outputs: Outputs) -> jax.Array:
    """Returns `[batch, classes]`, what each class's domain classifier says."""
    shares = jax.nn.softmax(outputs.logits)[:, :, None] * outputs.features[:, None, :]
    each = nn.vmap(
      lambda classifier, features: classifier(features, train=True),
      in_axes=1,
      out_axes=1,
      variable_axes={'params': 0},
      split_rngs={'params': True, 'dropout': True},
    )
    return each(self.class_classifiers, shares)

  def _count(
    self, whole: list[jax.Array], by_class: list[jax.Array], probabilities: list[jax.Array]
  ) -> None:
    """Adds a batch's errors to the epoch's, and renews omega at its end."""
    wrong = [
      jnp.concatenate([logits[:, None], own], axis=1) * sign < 0
      for logits, own, sign in zip(whole, by_class, (1, -1), strict=True)
    ]
    counted = [jnp.pad(p, ((0, 0), (1, 0)), constant_values=1.0) for p in probabilities]
    wrong, counted = (
      [axis.gather(jax.lax.stop_gradient(x)) for x in pair] for pair in (wrong, counted)
    )
    of_domain = [mean_error(*pair) for pair in zip(wrong, counted, strict=True)]
    errors = self.get_variable('balance', 'errors') + sum(of_domain) / 2
    steps = self.get_variable('balance', 'steps') + 1
    epoch = max(1, sum(domain.examples for domain in self.spec.sources) // len(wrong[0]))
    over = steps >= epoch
    omega = jnp.where(over, balance(errors / steps), self.get_variable('balance', 'omega'))
    self.put_variable('balance', 'omega', omega)
    self.put_variable('balance', 'errors', jnp.where(over, 0.0, errors))
    self.put_variable('balance', 'steps', jnp.where(over, 0, steps))


def mean_error(wrong: jax.Array, counted: jax.Array) -> jax.Array:
  """Returns the weighted mean of each column; one half, chance, where nothing is counted."""
  total = counted.sum(0)
  return jnp.where(total > 0, (wrong * counted).sum(0) / jnp.where(total > 0, total, 1.0), 0.5)


def balance(errors: jax.Array) -> jax.Array:
  """Returns omega of `[1 + classes]` errors; one half where no classifier is better than chance."""
  distances = jnp.maximum(2 * (1 - 2 * errors), 0.0)
  whole, of_classes = distances[0], distances[1:].mean()
  total = whole + of_classes
  return jnp.where(total > 0, of_classes / jnp.where(total > 0, total, 1.0), 0.5)
