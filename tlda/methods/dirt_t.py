"""Decision-boundary iterative refinement training with a teacher (Shu et al., 2018)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, States, Terms, Variables
from tlda.methods.virtual_adversarial import virtual_adversarial
from tlda.ranges import LogUniform


class DIRTT(Method):
  """Moves VADA's decision boundaries out of the target, in steps that change little at a time.

  Shu, Bui, Narui, Ermon: *A DIRT-T Approach to Unsupervised Domain Adaptation*, ICLR 2018. The
  source is left behind. Of the target, with entropy H, smoothness V (see `vada`) and a teacher
  that is the network of some steps ago,

    target_weight (V + H) + teacher_weight KL(teacher || network)

  `teachers` in turn are taken, evenly over the training; the first is what VADA has trained. What
  VADA has clustered wrongly stays wrong: many teachers over few steps let the network drift to a
  single class.

  Departs from the authors' code: teacher and predictions are of the weights as they are (there,
  averaged over steps), and a teacher's batch normalisation takes the statistics of the batch
  (there, the running ones).

  Attributes:
    target_weight: Of smoothness and entropy (the paper's lambda_t, 0.01).
    teacher_weight: Of the divergence from the teacher (the paper's beta, 0.01).
    teachers: How many in turn (the paper's 16: one every 5,000 of 80,000 steps).
    radius: How far V moves inputs, as a Euclidean length (the paper's 3.5, of 32x32 colour images
      from -1 to 1).
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target'})
  first_stage: ClassVar[str | None] = 'vada'

  target_weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01
  teacher_weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01
  teachers: int = 16
  radius: float = 3.5

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, text, no teacher, and a radius of no length."""
    del batch_size
    needs.classes(self)
    needs.amounts(self)
    needs.at_least(self, 1, 'teachers')
    needs.above(self, 0, 'radius')

  def initial_states(self, variables: Variables) -> States:
    """Returns the first teacher: the network before any step."""
    params = variables['params']
    return {'teacher': {group: params[group] for group in ('extractor', 'head')}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the terms of the target."""
    (target,) = self.outputs(batch)
    moved = virtual_adversarial(self, batch.target, target.logits, context, self.radius)
    teach = self.pure(_taught, {**self.variables, 'params': self.variables['teacher']})
    taught = teach(batch.target.inputs, batch.target.domain)
    return {
      'smoothness': self.target_weight * moved.mean(),
      'entropy': self.target_weight * losses.entropy(target.logits).mean(),
      'teacher': self.teacher_weight * losses.kullback_leibler(target.logits, taught).mean(),
    }

  def after_update(self, variables: Mapping[str, Any], context: Context) -> States:
    """Returns the next teacher where the present one's time is over."""
    turn = lambda step: step * self.teachers // context.total_steps
    due = turn(context.step + 1) > turn(context.step)
    own = {group: variables['params'][group] for group in variables['teacher']}
    taken = jax.tree.map(lambda new, old: jnp.where(due, new, old), own, variables['teacher'])
    return {'teacher': taken}


def _taught(method: Method, inputs: jax.Array, domain: jax.Array) -> jax.Array:
  """Predicts with the statistics of the batch, and without dropout."""
  with nn.intercept_methods(_undropped):
    features = method.extractor(inputs, domain=domain, train=True)
  return method.head(features, domain=domain, train=False)


def _undropped(
  call: Callable[..., Any],
  args: tuple[Any, ...],
  options: dict[str, Any],
  context: nn.module.InterceptorContext,
) -> Any:
  """Makes dropout the identity."""
  return args[0] if isinstance(context.module, nn.Dropout) else call(*args, **options)
