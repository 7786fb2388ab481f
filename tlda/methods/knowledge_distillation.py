"""Knowledge distillation: of logits, of features, of attention (Hinton et al., 2015)."""

from typing import Annotated

import flax.linen as nn
import jax

from tlda import losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import States, Terms, Variables
from tlda.methods.target_only import TargetOnly
from tlda.methods.teacher import Teacher
from tlda.ranges import LogUniform

Stages = dict[str, jax.Array]


class KnowledgeDistillation(TargetOnly):
  """Learns from labels, and from what a trained teacher of any backbone says of the same inputs.

  With the teacher's probabilities p* and the student's p at a temperature T, features h, and the
  attention a_i of stage i (energy at each position, scaled to length 1),

    L_task + logits T^2 KL(p* || p) + features |r(h) - h*|^2 / 2 + attention sum_i |a_i - a_i*|^2

  Hinton, Vinyals, Dean: *Distilling the Knowledge in a Neural Network*, 2015; Romero et al.:
  *FitNets*, ICLR 2015; Zagoruyko, Komodakis: *Paying More Attention to Attention*, ICLR 2017. The
  teacher predicts as after its training: fixed weights, running batch statistics.

  Departs from FitNets: the hint is the extractor's output, through a dense regressor r, and taught
  together with the rest. Stages are paired from the last on; where two differ in height and width,
  the larger attention map is resized to the smaller.

  Attributes:
    teacher: The network that teaches. The collection 'teacher' holds its variables: a draw, until
      training begins with those that its run is given.
    logits: The weight of the softened predictions.
    features: The weight of the features.
    attention: The weight of the attention.
    temperature: What the logits are divided by.
  """

  teacher: Teacher | None = None
  logits: float = 1.0
  features: float = 0.0
  attention: float = 0.0
  temperature: Annotated[float, LogUniform(1.0, 20.0)] = 4.0

  def setup(self) -> None:
    """Makes the regressor to the teacher's features, where they are learned."""
    if self.teacher is not None and self.features:
      self.regressor = nn.Dense(self.teacher.network.feature_size())

  def check(self, batch_size: int) -> None:
    """Refuses no teacher, and one of another problem."""
    del batch_size
    needs.at_least(self, 0, 'logits', 'features', 'attention')
    needs.above(self, 0, 'temperature')
    if self.teacher is None:
      raise UserError('knowledge_distillation needs a teacher: the folder of a run, as --teacher')
    own, other = self.spec, self.teacher.network.spec
    if own.classes != other.classes:
      raise UserError(f'the teacher knows {other.classes} classes, and there are {own.classes}')
    if own.input_shape != other.input_shape:
      sizes = ['x'.join(map(str, shape)) for shape in (other.input_shape, own.input_shape)]
      raise UserError(f'the teacher sees inputs of {sizes[0]}, and these are {sizes[1]}')

  def initial_states(self, variables: Variables) -> States:
    """Returns a draw of the teacher's variables."""
    del variables
    # A finished student predicts without its teacher.
    return {} if self.teacher is None else {'teacher': self.teacher.variables()}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss and the terms of weights above 0."""
    (target,) = self.outputs(batch)
    taught, stages = self.teacher(self.variables['teacher'], batch.target.inputs)
    terms = {'task': self.task_loss(target, batch.target)}
    if self.logits:
      soft = losses.distillation(target.logits, taught.logits, temperature=self.temperature)
      terms['logits'] = self.logits * soft.mean()
    if self.features:
      hint = losses.hint(self.regressor(target.features), taught.features)
      terms['features'] = self.features * hint.mean()
    if self.attention:
      pairs = _paired(self.stages(), stages)
      terms['attention'] = self.attention * sum(
        losses.attention_transfer(*pair).mean() for pair in pairs
      )
    return terms


def _paired(student: Stages, teacher: Stages) -> list[tuple[jax.Array, jax.Array]]:
  """Returns activations of both networks at the same positions, of as many stages as both have."""
  pairs = list(zip(_from_last(student), _from_last(teacher), strict=False))
  if not pairs or any(stage.ndim < 3 for pair in pairs for stage in pair):
    raise UserError(
      'attention needs stages with positions in both networks: take a convolutional backbone or '
      'a transformer, or knowledge_distillation.attention=0'
    )
  return [_aligned(*pair) for pair in pairs]


def _from_last(stages: Stages) -> list[jax.Array]:
  return [stages[f'stage{number}'] for number in range(len(stages), 0, -1)]


def _aligned(student: jax.Array, teacher: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Resizes the larger of two grids of activations to the smaller one."""
  sizes = student.shape[1:-1], teacher.shape[1:-1]
  if sizes[0] == sizes[1]:
    return student, teacher
  if len(sizes[0]) != 2 or len(sizes[1]) != 2:
    raise UserError(f'attention cannot compare positions of {sizes[0]} with those of {sizes[1]}')
  smaller = tuple(map(min, zip(*sizes, strict=True)))
  resize = lambda x: jax.image.resize(x, (len(x), *smaller, x.shape[-1]), 'linear')
  return resize(student), resize(teacher)
