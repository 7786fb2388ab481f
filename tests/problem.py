"""A problem that any method is trained on in a second: two domains of 8x8 images, or vectors."""

import dataclasses
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from tlda import transfer
from tlda.data import Domain, Split, draw, label_sets
from tlda.methods import DomainSpec, Method, Spec, TargetOnly, Teacher
from tlda.models import DomainClassifier, Linear, Normalization
from tlda.models.convolution import PooledConv
from tlda.tasks import Classification
from tlda.training.inputs import Preprocessing
from tlda.training.run import Run

CLASSES = 3
BATCH = 16


class SmallExtractor(nn.Module):
  """Two dense layers with batch normalisation between them: 12 features."""

  normalization: str = 'joint'
  domains: int = 2

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    return ('Dense_0', 'Normalization_0'), ('Dense_1',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    x = nn.Dense(16)(inputs.reshape(len(inputs), -1))
    x = Normalization(self.normalization, self.domains)(x, domain=domain, train=train)
    x = nn.Dense(12)(nn.relu(x))
    self.sow('intermediates', 'stage1', x)
    return jnp.tanh(x)


class SmallConvolutions(nn.Module):
  """Two stages of feature maps, of 4 and of 5 channels: 5 features."""

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    x = PooledConv(4, kernel=3, name='conv1')(inputs)
    self.sow('intermediates', 'stage1', x)
    x = nn.Conv(5, (2, 2), name='conv2')(x)
    self.sow('intermediates', 'stage2', x)
    return jnp.tanh(x.mean((1, 2)))


def domain(name: str, seed: int, *, images: bool = True, examples: int = 44) -> Domain:
  """Returns a domain whose classes are bright at different places, shifted by its seed."""
  rng = np.random.default_rng(seed)

  def split(count: int) -> Split:
    labels = rng.integers(0, CLASSES, count).astype(np.int32)
    inputs = rng.integers(0, 120, (count, 8, 8, 1)) + 20 * seed
    for row, label in enumerate(labels):
      inputs[row, 2 * label : 2 * label + 3] += 90
    inputs = inputs.clip(0, 255).astype(np.uint8)
    if not images:
      inputs = (inputs.reshape(count, -1)[:, :20] / 255).astype(np.float32)
    return Split(inputs, labels)

  return Domain(name, split(examples), split(21), tuple('abc'), 'none: made up')


def small_extractor(cls: type[Method], sources: int) -> SmallExtractor:
  """Returns the extractor that a method must have."""
  return SmallExtractor(cls.normalization or 'joint', sources + 1)


def make_method(
  cls: type[Method], source: Domain, target: Domain, *more: Domain, **fields: Any
) -> Method:
  """Returns a method on small networks; `more` are further sources."""
  known = lambda d: DomainSpec(d.name, len(d.train), tuple(range(CLASSES)))
  sources = tuple(map(known, (source, *more)))
  shape, unknown = source.train.inputs.shape[1:], target.classes[-1] == label_sets.UNKNOWN
  spec = Spec(CLASSES, shape, sources, known(target), unknown=unknown)
  fields.setdefault('extractor', small_extractor(cls, len(sources)))
  fields.setdefault('head', Linear(CLASSES))
  names = {field.name for field in dataclasses.fields(cls)}
  if 'domain_classifier' in names:
    fields.setdefault('domain_classifier', DomainClassifier((8,)))
  if 'old_head' in names:
    fields.setdefault('old_head', Linear(5))
  if 'teacher' in names:
    fields.setdefault('teacher', Teacher(make_method(TargetOnly, source, target, *more)))
  return cls(spec=spec, task=Classification(), **fields)


def make_run(
  cls: type[Method],
  workdir: Path,
  *,
  steps: int = 4,
  seeds: tuple[int, ...] = (0,),
  sources: int = 1,
  images: bool = True,
  optimizer: str = 'sgd',
  initial: Path | None = None,
  distribute: str | None = None,
  strategy: transfer.Strategy | None = None,
  augment: str | None = None,
  **fields: Any,
) -> Run:
  """Returns a run of a method on the small problem."""
  seeds_of = {'left': 1, 'right': 2, 'middle': 3}
  source, target, other = (domain(*item, images=images) for item in seeds_of.items())
  if cls.open_set:  # The sources lack the last class.
    (source, other), target = label_sets.restrict([source, other], target, (0, 1), (0, 1, 2))
  more = (other,) if sources == 2 else ()
  schedule = transfer.schedule('annealing', 0.05, steps)
  strategy = strategy or transfer.Strategy()
  extractor = fields.pop('extractor', None) or small_extractor(cls, 1 + len(more))
  fields['extractor'] = strategy.network(extractor)
  return Run(
    method=make_method(cls, source, target, *more, **fields),
    optimizer=transfer.optimizer(
      optimizer,
      schedule,
      steps,
      strategy=strategy,
      layers=SmallExtractor().layers,
    ),
    sources=(source, *more),
    target=target,
    preprocessing=Preprocessing((0.4,)),
    steps=steps,
    batch_size=BATCH,
    seeds=seeds,
    workdir=workdir,
    log_every=1,
    eval_every=2,
    checkpoint_every=2,
    distribute=distribute,
    initial=initial,
    flags={'experiment': 'test', 'method': cls.__name__, 'protocol': 'test/small'},
    about={},
    augment=augment,
    labelled_target=draw(target.train, 2, CLASSES) if 'labelled_target' in cls.reads else None,
  )
