"""Self-ensembling: the target as a moving average of the network sees it (French et al., 2018)."""

from typing import Annotated, ClassVar

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.averaged import Averaged
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Outputs, States, Terms, Variables
from tlda.ranges import LogUniform


class MeanTeacher(Averaged):
  """Learns what a moving average of its weights says of another view of the target.

  French, Mackiewicz, Fisher: *Self-ensembling for visual domain adaptation*, ICLR 2018. With a
  student f, its moving average f', and two draws x, x' of a target view,

    L_task(source) + weight mean_x [max f'(x') > threshold] |f(x) - f'(x')|^2 / classes
      + weight class_balance share H(uniform, mean_x f(x)),

  where f are class probabilities, H is binary cross-entropy summed over classes, and `share` is
  that of the confident target examples. Source and target pass the network one after the other, so
  that each is normalised by batch statistics of its own; the running statistics of the teacher,
  which predicts, are of the target alone.

  The paper augments by shifts, affine maps and noise; here each draw is the weak view. Departs from
  the paper: the average begins as a plain mean (see `Averaged`).

  Attributes:
    decay: The share of itself that the teacher keeps at each step (the paper's 0.99).
    weight: The weight of consistency (3 in the authors' code).
    threshold: How sure the teacher must be (the paper's 0.968).
    class_balance: The weight of the class balance within it (the paper's 0.005).
  """

  views: ClassVar[tuple[str, ...]] = ('weak', 'weak/teacher')

  decay: float = 0.99
  weight: Annotated[float, LogUniform(0.3, 30.0)] = 3.0
  threshold: float = 0.968
  class_balance: float = 0.005

  def check(self, batch_size: int) -> None:
    """Refuses what no average can be made of, and a threshold that is no probability."""
    super().check(batch_size)
    needs.shares(self, 'threshold')

  def initial_states(self, variables: Variables) -> States:
    """Returns a teacher with the first weights, and running statistics of its own."""
    return {'teacher': dict(variables)}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source, consistency, and class balance."""
    source, target = batch.source.flat(), batch.target
    seen = self.forward(source.views['weak'], source.domain, train=True)
    student = jax.nn.softmax(self.forward(target.views['weak'], target.domain, train=True).logits)
    teacher = jax.nn.softmax(self.taught(target).logits)
    gap = losses.consistency(student, teacher, threshold=self.threshold)
    share = axis.mean((teacher.max(axis=1) > self.threshold).mean())
    balance = share * losses.class_balance(axis.gather(student))
    return {
      'task': self.task_loss(seen, source),
      'consistency': self.weight * gap.mean(),
      'class_balance': self.weight * self.class_balance * balance,
    }

  def taught(self, target: Examples) -> Outputs:
    """Returns what the teacher says of its view; its running statistics follow."""
    inputs, written = target.views['weak/teacher'], [*self.variables['teacher']]
    outputs, states = self.detached().apply(
      self.teacher_variables(),
      inputs,
      target.domain,
      train=True,
      method='forward',
      rngs=self.keys(),
      mutable=[name for name in written if name != 'params'],
    )
    for name, value in states.items():
      self.put_variable('teacher', name, value)
    return jax.lax.stop_gradient(outputs)
