"""The base of all methods: a linen module of a shared extractor, a task head and an objective."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import flax.linen as nn
import jax
from flax import struct

from tlda import axis
from tlda.methods.batch import Batch, Context, Examples, Spec
from tlda.tasks.task import Task

Params = dict[str, Any]
Terms = dict[str, jax.Array]
States = dict[str, Any]
Variables = dict[str, Any]

# The collection in which an extractor sows what its stages return.
STAGES = 'intermediates'
# The keys of what is random inside a network.
KEYS = ('dropout', 'normalization')
Objective = Callable[[Params, Batch], tuple[jax.Array, tuple[Terms, States]]]


@struct.dataclass
class Outputs:
  """What the network says of a batch.

  Attributes:
    features: `[batch, features]`, the shared extractor's output.
    logits: `[batch, classes]`, the task head's output.
  """

  features: jax.Array
  logits: jax.Array


@dataclasses.dataclass(frozen=True)
class Phase:
  """One move of a training step. A method's phases run in order, on the same batch.

  Attributes:
    name: Its name in the logs, `loss/PHASE/TERM`, where a method has several.
    objective: The method (by name) that returns the terms to minimise.
    trains: The top-level parameter groups that it moves; None moves all.
    repeats: How often it runs in each step.
    keeps_statistics: Whether the running batch statistics of this phase are kept.
  """

  name: str
  objective: str = 'objective'
  trains: tuple[str, ...] | None = None
  repeats: int = 1
  keeps_statistics: bool = True


@dataclasses.dataclass(frozen=True)
class DomainPass:
  """A pass over a whole training split, made by the loop at evenly spaced steps from step 0 on.

  Attributes:
    update: The method (by name) `(variables, outputs) -> collections` that turns what was seen into
      state. `outputs` are the results for all examples, `[examples, ...]`, by index; it runs once,
      and every host computes the same.
    times: How often in the planned training.
    domain: 'source' or 'target'.
    outputs: The method (by name) `(inputs, domain) -> arrays [batch, ...]` to run on the examples.
  """

  update: str
  times: int
  domain: str = 'target'
  outputs: str = '__call__'

  def is_due(self, step: int, total_steps: int) -> bool:
    """Tells whether the pass is made before training step `step`."""
    return any(step == turn * total_steps // self.times for turn in range(self.times))


class Method(nn.Module):
  """A way of learning from a source for a target: what is learned, and from which terms.

  A subclass writes `objective` and adds its hyper-parameters as fields, each with a default and a
  line under `Attributes:` (they become flags). What is random takes its key from `context`; what
  is computed from a batch as a whole takes `axis.gather`ed rows, so that the number of devices
  does not matter.

  Class attributes:
    reads: What the method is handed: any of 'source', 'target', 'target_labels', 'labelled_target'.
      Labels of the target reach no method that does not say that it reads them.
    views: The augmented views that it needs of the examples: 'weak', 'slight', 'strong', or another
      draw of one under a name of its own, such as 'weak/teacher'.
    first_stage: The method that must have been trained before, or None.
    normalization: The batch normalisation that the network must have, or None for any.
    open_set: Whether the target must have classes that the sources lack.
    fresh: Parameter groups that begin anew where it starts from another run's weights, as its
      states always do.

  Attributes:
    spec: What is known of the problem.
    task: What is predicted.
    extractor: The shared feature extractor.
    head: The task head.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source', 'target'})
  views: ClassVar[tuple[str, ...]] = ()
  first_stage: ClassVar[str | None] = None
  normalization: ClassVar[str | None] = None
  open_set: ClassVar[bool] = False
  fresh: ClassVar[frozenset[str]] = frozenset()

  spec: Spec
  task: Task
  extractor: nn.Module
  head: nn.Module

  def __call__(self, inputs: jax.Array, domain: jax.Array | int) -> Outputs:
    """Predicts.

    Args:
      inputs: `[batch, ...]` float32, or int32 tokens.
      domain: int or int32 `[batch]`, the branch of per-domain normalisation.

    Returns:
      Features and logits of the batch.
    """
    return self.forward(inputs, domain, train=False)

  def forward(self, inputs: jax.Array, domain: jax.Array | int, *, train: bool) -> Outputs:
    """Passes `[batch, ...]` inputs through the shared extractor and the task head."""
    features = self.extractor(inputs, domain=domain, train=train)
    return Outputs(features, self.head(features, domain=domain, train=train))

  def outputs(self, batch: Batch) -> tuple[Outputs, ...]:
    """Passes all examples of a batch through the network at once, as in training.

    Returns:
      Features and logits of each part that the batch has: source, target, labelled target.
    """
    parts = [part.flat() for part in batch.parts()]
    joined = {
      name: jax.numpy.concatenate([getattr(part, name) for part in parts])
      for name in ('inputs', 'domain')
    }
    both = self.forward(joined['inputs'], joined['domain'], train=True)
    results, start = [], 0
    for part in parts:
      rows = slice(start, start := start + len(part.index))
      results.append(jax.tree.map(lambda x, rows=rows: x[rows], both))
    return tuple(results)

  def stages(self) -> dict[str, jax.Array]:
    """Returns what the extractor's stages gave in its last pass within an objective.

    Returns:
      'stage1', 'stage2', ... from the input on: `[batch, height, width, channels]` of a
      convolutional backbone, `[batch, tokens, channels]` of a transformer.
    """
    return stages_of(self.extractor.variables.get(STAGES, {}))

  def task_loss(self, outputs: Outputs, examples: Examples) -> jax.Array:
    """Returns the mean task loss of labelled examples on this device, a scalar."""
    return self.task.loss(outputs.logits, examples.flat().labels).mean()

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the named terms, scalars, whose sum this method minimises.

    A value under a name that begins with 'monitor/' is logged and no part of the sum.
    """
    raise TypeError(f'{type(self).__name__} has no objective')

  def phases(self) -> tuple[Phase, ...]:
    """Returns the moves of one training step."""
    return (Phase('train'),)

  def check(self, batch_size: int) -> None:
    """Refuses a problem that the method cannot work on, before anything is compiled.

    Args:
      batch_size: Examples of each domain in a step, on all devices.

    Raises:
      UserError: What does not fit, and what would.
    """
    del batch_size

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the passes over whole domains that this method needs."""
    return ()

  def initial_states(self, variables: Variables) -> States:
    """Returns the method's own state collections (teachers, banks, centroids) as they begin.

    Args:
      variables: The first 'params', by top-level group, and 'batch_stats' where the network has
        batch normalisation.

    Returns:
      Collection name to a dict of arrays. They are read by `get_variable`, written by
      `put_variable` in an objective, by `after_update` or by a domain pass, and saved with the
      rest. They must be computed from gathered values only, so that every device holds the same.
    """
    del variables
    return {}

  def after_update(self, variables: Mapping[str, Any], context: Context) -> States:
    """Returns the collections that change once the optimizer has moved the weights of this step.

    Weights that are put elsewhere after that are the collection 'params', of all groups.
    """
    del variables, context
    return {}

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the gradients of a phase on this device, and what its objective returned beside.

    Args:
      objective: `(params, batch) -> (loss, (terms, states))`, the sum of the phase's terms.
      params: The groups that the phase trains.
      batch: The examples on this device.

    Returns:
      Gradients of the shape of `params`, and (terms, states). The step averages gradients and
      terms over devices.
    """
    grads, results = jax.grad(objective, has_aux=True)(params, batch)
    return grads, results

  def feature_size(self) -> int:
    """Returns the number of the extractor's features, computing none: the width of a bank."""
    keys = dict.fromkeys(('params', *KEYS), jax.random.key(0))
    inputs = self.spec.blank()
    make = lambda: self.extractor.clone(parent=None).init_with_output(keys, inputs)
    return jax.eval_shape(make)[0].shape[-1]

  def pure(
    self, function: str | Callable[..., Any], variables: Mapping[str, Any] | None = None
  ) -> Callable[..., Any]:
    """Returns a method of this network as a pure function, to be differentiated by its inputs.

    A derivative must not pass through the bound module, which writes running statistics. Parts
    whose parameters only this function would touch are called once outside of it first.

    Args:
      function: A method by name ('forward'), or a function of the module and its arguments.
      variables: What it is a function under (a frozen network's); None is the present ones.

    Returns:
      The function of the same arguments; what it writes is dropped.
    """
    variables = self.variables if variables is None else variables
    written = [name for name in variables if name != 'params']
    keys = self.keys()

    def call(*args: Any, **kwargs: Any) -> Any:
      options = {'method': function, 'rngs': keys, 'mutable': written}
      return self.detached().apply(variables, *args, **options, **kwargs)[0]

    return call

  def keys(self) -> dict[str, jax.Array]:
    """Returns new keys of what is random inside the network, where it was given any."""
    return {name: self.make_rng(name) for name in KEYS if self.has_rng(name)}

  def detached(self) -> 'Method':
    """Returns this network apart from its variables, to be applied to others (a teacher's)."""
    return self.clone(parent=None)


def stages_of(sown: Mapping[str, Any]) -> dict[str, jax.Array]:
  """Returns the last array that each stage of an extractor, or of a backbone in it, sowed."""
  while 'backbone' in sown:
    sown = sown['backbone']
  return {name: arrays[-1] for name, arrays in sown.items() if name.startswith('stage')}


def is_watched(name: str) -> bool:
  """Tells whether a term of this name is logged only, and not minimised."""
  return name.startswith('monitor/')


def random_keys(context: Context) -> dict[str, jax.Array]:
  """Returns the keys of what is random inside the network.

  That of dropout is another on each device. Normalisation is of the whole batch: its key is the
  same.
  """
  keys = {name: context.key(name) for name in KEYS}
  return {**keys, 'dropout': jax.random.fold_in(keys['dropout'], axis.index())}
