"""What a run is: everything that `fit` needs, and the folder that belongs to it."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from etils import epath

from tlda.data import Domain, Split
from tlda.data.protocol import facts
from tlda.errors import UserError, nearest
from tlda.evaluation import validators
from tlda.evaluation.divergences import FEWEST
from tlda.evaluation.selection import LAST, SOURCE_ACCURACY, rules
from tlda.methods import Method
from tlda.methods.method import Variables
from tlda.training import parallel, workdir
from tlda.training.checkpoint import SELECTED
from tlda.training.inputs import Preprocessing
from tlda.transfer import Optimizer

# What may change between a run and its continuation: where it runs, and how often it speaks.
FREE = frozenset(
  {
    'distribute',
    'data_dir',
    'workdir',
    'log_every',
    'eval_every',
    'checkpoint_every',
    'report',
    'validators',
  }
)

Weights = Callable[[Variables], Variables]

# The most steps that one call of the program makes.
LONGEST = 100


@dataclasses.dataclass(frozen=True)
class Run:
  """A training, with one or several seeds.

  Attributes:
    method: The method with its networks and hyper-parameters.
    optimizer: What moves each parameter group.
    sources: The labelled domains; none where a method does without their data.
    target: The domain to adapt to.
    select: The rule by which, for each seed, the state of one step is kept beside the last.
    validators: The names of those that score every evaluated step, as far as they can.
    labelled_target: The few labelled examples of the target, for a method that reads them, or None.
    augment: The augmentation that training images go through, or None.
    preprocessing: Of the inputs.
    steps: The planned length.
    batch_size: Examples of each domain in a step, on all devices.
    seeds: The seeds, each a training of its own.
    workdir: The folder of the run.
    log_every: Steps between log lines.
    eval_every: Steps between evaluations.
    checkpoint_every: Steps between checkpoints.
    distribute: 'pmap', 'shard_map', or None to choose by the number of hosts.
    initial: The folder of a finished run to start from (seed i from its seed i), or None.
    weights: What loads published weights into the variables of the backbone, or None; of no account
      where there is an `initial`.
    given: Arrays that take the place of what is drawn (a teacher's, an old head's), by the names of
      a checkpoint, with a leading dimension of seeds.
    flags: All flags of the experiment and the method's fields, as they go into `config.json`.
    numbers: Which of them are floating-point fields of the method: flag to field.
    about: What else `config.json` says: versions, device, command.
  """

  method: Method
  optimizer: Optimizer
  sources: tuple[Domain, ...]
  target: Domain
  preprocessing: Preprocessing
  steps: int
  batch_size: int
  seeds: tuple[int, ...]
  workdir: Path
  log_every: int
  eval_every: int
  checkpoint_every: int
  distribute: str | None
  initial: Path | None
  flags: Mapping[str, Any]
  about: Mapping[str, Any]
  select: str = LAST
  validators: tuple[str, ...] = ()
  labelled_target: Split | None = None
  weights: Weights | None = None
  given: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
  augment: str | None = None
  numbers: Mapping[str, str] = dataclasses.field(default_factory=dict)

  @property
  def is_held_out(self) -> bool:
    """Whether no source is tested on the examples that it trains on, as in some protocols."""
    return all(source.is_held_out for source in self.sources)

  @property
  def data(self) -> dict[str, dict[str, Any]]:
    """What the data are: for each domain the number of examples and a hash of them."""
    return {domain.name: facts(domain) for domain in (*self.sources, self.target)}


def refuse(run: Run) -> None:
  """Refuses a problem that cannot be trained or measured, before anything is written or compiled.

  Raises:
    UserError: The method does not fit the problem, inputs are too small for the extractor, or a
      test split is too small to be measured.
  """
  run.method.check(run.batch_size)
  spec = run.method.spec
  if run.method.open_set and not spec.unknown:
    raise UserError(
      f'{type(run.method).__name__} rejects what the source lacks, and the target has no such '
      'class: say which classes the source has with --source_classes'
    )
  if spec.is_text and run.method.views:
    raise UserError(f'{type(run.method).__name__} needs augmented views, and text has none')
  if run.augment and len(spec.input_shape) != 3:
    raise UserError(f'--augment={run.augment} is for images: leave it out for vectors and text')
  if _vanishes(run.method.extractor.clone(parent=None), spec.blank()):
    size = 'x'.join(map(str, spec.input_shape))
    raise UserError(f'inputs of {size} are too small for this --backbone: nothing is left of them')
  if run.select not in rules():
    raise UserError(nearest('value of --select', run.select, rules()))
  if reason := unscorable(run).get(run.select):
    raise UserError(f'--select={run.select} {reason}')
  for name in run.validators:
    if name not in validators.names():
      raise UserError(nearest('validator', name, validators.names()))
  for domain in (*run.sources, run.target):
    if len(domain.test) < FEWEST:
      raise UserError(
        f'the test split of {domain.name} has {len(domain.test)} examples: at least {FEWEST} are '
        'needed to measure a run'
      )


def unscorable(run: Run) -> dict[str, str]:
  """Returns the rules that cannot choose a step of a run, name to the reason.

  Where the source is the target, what measures the source would choose by test labels of the
  target.
  """
  reasons = {}
  if run.method.spec.is_text:
    reasons['mixval'] = 'mixes inputs, and texts cannot be mixed'
  names = [source.name for source in run.sources]
  if not names or run.target.name in names:
    seen = {name: validators.sees(name) for name in validators.names()}
    measure = [name for name, views in seen.items() if any('source' in view for view in views)]
    which = 'which is the target here' if names else 'and its data are not there'
    reasons |= dict.fromkeys([SOURCE_ACCURACY, *measure], f'measures the source, {which}')
  return reasons


def _vanishes(extractor: nn.Module, inputs: jax.Array) -> bool:
  """Tells whether a layer of an extractor sees, or returns, nothing of such inputs."""
  keys = dict.fromkeys(('params', 'dropout'), jax.random.key(0))
  try:
    made = jax.eval_shape(lambda: extractor.init_with_output(keys, inputs))
  except ZeroDivisionError:  # So do initialisers, which divide by the number of inputs.
    return True
  return any(0 in array.shape for array in jax.tree.leaves(made))


def stride(run: Run, *, resident: bool) -> int:
  """Returns how many steps one call makes: several on accelerators, where a call costs most.

  Nothing that the loop does between steps falls inside a stretch. On a CPU, where a scan makes
  convolutions many times slower, and where rows travel, it is one.
  """
  if not (resident and parallel.is_accelerator()):
    return 1
  due = [run.log_every, run.eval_every, run.checkpoint_every]
  for each in run.method.domain_passes():
    due += [step for step in range(run.steps) if each.is_due(step, run.steps)]
  return longest(math.gcd(*due))


def longest(common: int) -> int:
  """Returns the most steps that divide a number, up to `LONGEST`."""
  return max(size for size in range(1, min(common, LONGEST) + 1) if common % size == 0)


def claim(run: Run, *, writes: bool, lock: workdir.Lock | None = None) -> dict[str, Any]:
  """Makes the run's folder its own, or finds that it is already.

  Args:
    run: The run.
    writes: Whether this process may write (the first host).
    lock: What it takes, before it writes, if it is to train there alone.

  Returns:
    What `config.json` holds. A run that goes on from a checkpoint keeps what it was begun with:
    command, commit.

  Raises:
    UserError: The folder cannot be written, belongs to another configuration or another process,
      or holds something else.
  """
  config = {'flags': dict(run.flags), 'data': run.data, **run.about}
  config = json.loads(json.dumps(config))
  path = run.workdir / 'config.json'
  try:
    workdir.check(run.workdir)
    if writes:
      run.workdir.mkdir(parents=True, exist_ok=True)
    if lock is not None:
      lock.take(run.workdir)
    if path.exists() and workdir.has_trained(run.workdir):
      begun = json.loads(path.read_text())
      _compare(begun, config, run.workdir)
      if workdir.has_checkpoint(run.workdir):
        return begun
    if writes:
      # It begins anew: what was chosen of a training that left no checkpoint is not its own.
      epath.Path(run.workdir / SELECTED).rmtree(missing_ok=True)
      temporary = path.with_suffix('.tmp')
      temporary.write_text(json.dumps(config, indent=2) + '\n')
      temporary.replace(path)
  except ImportError as error:
    raise UserError(f'--workdir={run.workdir} needs another package: {error}') from error
  except OSError as error:
    raise UserError(f'--workdir={run.workdir} cannot be written: {error.strerror}') from error
  return config


def _compare(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
  """Raises if a flag that is not free to change, or the data, differ."""
  flags = [each.get('flags', {}) for each in (before, now)]
  # A rule chooses among the steps that are evaluated, and what it has kept is one of those.
  chooses = now['flags'].get('select', LAST) != LAST
  free = FREE - {'eval_every'} if chooses else FREE
  names = sorted((flags[0].keys() | flags[1].keys()) - free)
  changed = [
    f'--{name}: {flags[0].get(name)} there, {flags[1].get(name)} now'
    for name in names
    if flags[0].get(name) != flags[1].get(name)
  ]
  if not changed and before.get('data') != now['data']:
    changed = ['the data have other hashes']
  if changed:
    raise UserError(
      f'--workdir={folder} belongs to a run with another configuration ({"; ".join(changed)}): '
      'give it another workdir, or the old flags'
    )
