"""What several methods share: predictions by the moving average of the trained weights."""

from typing import Any

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Context
from tlda.methods.method import Method, Outputs, States, Variables


class Taught(Method):
  """A method that predicts by a teacher, a mean of its weights.

  The collection 'teacher' holds what the teacher has in place of the trained network's variables.
  """

  def __call__(self, inputs: jax.Array, domain: jax.Array | int) -> Outputs:
    """Predicts with the averaged weights."""
    if not self.has_variable('teacher', 'params'):
      return super().__call__(inputs, domain)  # While parameters are made.
    options = {'method': 'forward', 'train': False}
    return self.detached().apply(self.teacher_variables(), inputs, domain, **options)

  def teacher_variables(self) -> dict[str, Any]:
    """Returns the variables of the network with those of the teacher in their place."""
    return {**self.variables, **self.variables['teacher']}


class Averaged(Taught):
  """A method whose teacher is the exponential moving average of its weights.

  After each update, `teacher <- decay teacher + (1 - decay) weights`. In the first steps the decay
  is `1 - 1 / (step + 2)` if that is less, so that the teacher is the plain mean of all weights so
  far, and a short training is not held back by its initial ones (as in the code of Tarvainen and
  Valpola: *Mean teachers are better role models*, NeurIPS 2017).

  Attributes:
    decay: The share of itself that the average keeps at each step.
  """

  decay: float = 0.999

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and an average that is none."""
    del batch_size
    needs.classes(self)
    needs.shares(self, 'decay')

  def initial_states(self, variables: Variables) -> States:
    """Returns a teacher with the initial weights."""
    return {'teacher': {'params': variables['params']}}

  def after_update(self, variables: Any, context: Context) -> States:
    """Moves the teacher towards the new weights."""
    decay = jnp.minimum(self.decay, 1 - 1 / (context.step + 2))
    average = lambda old, new: decay * old + (1 - decay) * new
    teacher = variables['teacher']
    params = jax.tree.map(average, teacher['params'], variables['params'])
    return {'teacher': {**teacher, 'params': params}}
