"""What a method is given at each step: examples, and how far training has come."""

import dataclasses
import zlib
from typing import Self

import jax
import jax.numpy as jnp
from flax import struct


@dataclasses.dataclass(frozen=True)
class DomainSpec:
  """What is known of a domain before training.

  Attributes:
    name: The name it was loaded by.
    examples: The number of training examples: the size of a memory bank.
    classes: The classes that occur in it, as indices into the method's classes.
  """

  name: str
  examples: int
  classes: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Spec:
  """What a method may know of its problem: static, hashable, without a single label.

  Attributes:
    classes: The number of classes that the head tells apart.
    input_shape: The shape of one input, such as (28, 28, 3).
    sources: The source domains, in the order of the branches of per-domain normalisation.
    target: The target domain, or None where none is known in training.
    input_dtype: 'float32', or 'int32' where inputs are tokens of text.
    unknown: Whether the last class stands for all that the target has and the sources lack.
  """

  classes: int
  input_shape: tuple[int, ...]
  sources: tuple[DomainSpec, ...]
  target: DomainSpec | None = None
  input_dtype: str = 'float32'
  unknown: bool = False

  @property
  def is_text(self) -> bool:
    """Whether inputs are tokens, which cannot be moved a little, mixed or seen in other views."""
    return self.input_dtype == 'int32'

  def blank(self) -> jax.Array:
    """Returns a batch of one input, all zeros: what shapes are found out with."""
    return jnp.zeros((1, *self.input_shape), self.input_dtype)

  @property
  def domains(self) -> int:
    """The number of branches of per-domain normalisation: the sources, then the target."""
    return len(self.sources) + 1

  @property
  def target_domain(self) -> int:
    """The target's branch of per-domain normalisation."""
    return len(self.sources)


@struct.dataclass
class Examples:
  """Rows of one domain. With several sources each array has a leading dimension of domains.

  Attributes:
    inputs: `[batch, ...]` float32, or int32 tokens.
    index: `[batch]` int32, the row in its domain's training split.
    position: `[batch]` int32, the row in the global batch: what noise is keyed by.
    domain: `[batch]` int32, the branch of per-domain normalisation.
    labels: `[batch]` int32, or None where the method must not see them.
    views: Name ('weak', 'strong') to augmented inputs, of the views that the method declares.
  """

  inputs: jax.Array
  index: jax.Array
  position: jax.Array
  domain: jax.Array
  labels: jax.Array | None = None
  views: dict[str, jax.Array] = struct.field(default_factory=dict)

  def flat(self) -> Self:
    """Returns the examples of all domains as one batch: `[domains * batch, ...]`."""
    if self.index.ndim == 1:
      return self
    return jax.tree.map(lambda x: x.reshape((-1, *x.shape[2:])), self)


@struct.dataclass
class Batch:
  """The examples of one step, on one device. What the method does not read is None.

  Attributes:
    source: Labelled examples of the source, or sources.
    target: Examples of the target, without labels unless the method reads 'target_labels'.
    labelled_target: The few labelled examples of the target.
  """

  source: Examples | None = None
  target: Examples | None = None
  labelled_target: Examples | None = None

  def parts(self) -> tuple[Examples, ...]:
    """Returns the examples that there are, in the order of the fields."""
    every = (self.source, self.target, self.labelled_target)
    return tuple(part for part in every if part is not None)


@struct.dataclass
class Context:
  """How far training has come, and the one source of random keys.

  Attributes:
    step: int32 scalar, the training steps that were done before this one.
    seed: int32 scalar, the seed of this run.
    total_steps: The planned length of the training.
    turn: How many passes over this batch went before (phases and their repeats), so that each
      draws noise of its own.
  """

  step: jax.Array
  seed: jax.Array
  total_steps: int = struct.field(pytree_node=False)
  turn: int = struct.field(pytree_node=False, default=0)

  @property
  def progress(self) -> jax.Array:
    """Training progress p in [0, 1], a share of the planned total."""
    return self.step / self.total_steps

  def ramp(self, gamma: float = 10.0) -> jax.Array:
    """Returns `2 / (1 + exp(-gamma p)) - 1`, from 0 to nearly 1 (Ganin et al., 2016, eq. 14)."""
    return 2.0 / (1.0 + jnp.exp(-gamma * self.progress)) - 1.0

  def key(self, name: str) -> jax.Array:
    """Returns the key called `name` of this seed, step and turn; the same on every device."""
    key = jax.random.fold_in(jax.random.key(self.seed), self.step)
    return jax.random.fold_in(jax.random.fold_in(key, self.turn), zlib.crc32(name.encode()))

  def keys(self, name: str, examples: Examples) -> jax.Array:
    """Returns a key for each example, by its domain and its place in the global batch.

    Noise drawn from these does not depend on how many devices share the batch.

    Args:
      name: What the noise is for.
      examples: A flat batch.

    Returns:
      `[batch]` random keys.
    """
    key = self.key(name)
    fold = lambda domain, row: jax.random.fold_in(jax.random.fold_in(key, domain), row)
    return jax.vmap(fold)(examples.domain, examples.position)
