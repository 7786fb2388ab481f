"""Many runs of one method in one program: seeds, learning rates, weights, and pairs of domains.

Of a small network a step costs less than the call that asks for it. A grid makes the step of every
seed of every run at once, under `vmap`, and steps without a call for each, in a `scan`. Of each run
it writes what `fit` does, `config.json`, `metrics.jsonl` and `result.json`, equal to rounding, but
keeps no weights: there are no checkpoints, samples or TensorBoard, and a grid that is stopped
begins anew. Who wants the weights of a run trains it by its own command.
"""

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from tlda.errors import UserError
from tlda.methods import Context
from tlda.training import parallel
from tlda.training.evaluate import Evaluator
from tlda.training.inputs import Feed
from tlda.training.logs import MetricLog
from tlda.training.plan import shapes
from tlda.training.pool import Pool, problem
from tlda.training.progress import Clock, Display, line
from tlda.training.result import measure, summarize, write_result
from tlda.training.run import Run, claim, longest, refuse
from tlda.training.seeds import together
from tlda.training.state import RATE, TrainState, create
from tlda.training.step import Logs, train_step
from tlda.training.validation import Validation
from tlda.training.workdir import Lock

# What the states of all seeds of a program may take, in bytes; training takes some four times that.
STATES_LIMIT = 2**31
# What it comes to where a method takes a number for what it is: for Python's, or for no array.
_UNTRACEABLE = (
  jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError, AssertionError,
)  # fmt: skip
# Flags that may differ between the runs of a grid, besides the numbers of the method.
_OWN = frozenset({'source', 'target', 'workdir', 'learning_rate', 'seeds', 'report'})


def key(run: Run) -> str:
  """Returns what the runs of one grid must have in common, as text: equal where they fit.

  These are all flags but those of domains, seeds, the learning rate and the method's floating-point
  fields; and the shapes of the domains.
  """
  varied = _OWN | run.numbers.keys()
  flags = {name: value for name, value in run.flags.items() if name not in varied}
  spec = run.method.spec
  sizes = [each.examples for each in (*spec.sources, spec.target)]
  sizes += [spec.classes, *spec.input_shape, run.labelled_target is None]
  return json.dumps([type(run.method).__name__, flags, sizes], sort_keys=True)


def most(run: Run) -> int:
  """Returns how many seeds like a run's one program may hold, by the size of their states."""
  state = jax.tree.leaves(shapes(run))
  return max(1, STATES_LIMIT // sum(x.size * x.dtype.itemsize for x in state))


def unfit(run: Run) -> str | None:
  """Returns why a run cannot be one of a grid, as the end of a sentence; None where it can."""
  if not together(run.method.spec.input_shape, 2):
    return 'it learns from images, whose seeds take turns on a CPU'
  if not all(isinstance(domain.train.inputs, np.ndarray) for domain in (*run.sources, run.target)):
    return 'its examples are read as they are needed'
  if run.initial or run.weights or run.given:
    return 'it starts from weights of others'
  if run.method.first_stage:
    return 'it has a first stage'
  if run.method.domain_passes():
    return 'its method passes over whole domains'
  return None


def fit_together(runs: Sequence[Run]) -> list[dict[str, Any] | UserError]:
  """Trains runs of one `key` in one program, and writes their folders.

  Args:
    runs: The runs, each `unfit` for nothing.

  Returns:
    For each what its `result.json` holds, or why there is none: its training diverged.

  Raises:
    UserError: The runs do not fit together, a folder belongs to another run, or there is too much
      data.
  """
  for run in runs:
    if reason := unfit(run):
      raise UserError(f'{run.workdir} cannot be trained together with others: {reason}')
  if len({os.fspath(run.workdir) for run in runs}) < len(runs):
    raise UserError('runs that are trained together need a --workdir each')
  if len({key(run) for run in runs}) > 1:
    raise UserError(
      'runs that are trained together differ in more than domains, seeds, rates and weights'
    )
  if parallel.hosts() > 1:
    raise UserError('runs are trained together on one host')
  return _Grid(runs).run()


class _Grid:
  """The runs in progress: their domains on the device, states, and files."""

  def __init__(self, runs: Sequence[Run]) -> None:
    self._runs, self._first = runs, runs[0]
    for run in runs:
      run.method.check(run.batch_size)  # Of numbers of its own.
    for run in {problem(run): run for run in runs}.values():
      refuse(run)
    self._devices = parallel.Parallel(self._first.distribute, self._first.batch_size)
    self._pool = Pool(runs, self._devices)
    self._locks = [Lock() for _ in runs]
    self._configs = [_claimed(run, lock) for run, lock in zip(runs, self._locks, strict=True)]
    # What the seeds of each run are among all.
    stops = np.cumsum([len(run.seeds) for run in runs])
    self._rows = [slice(stop - len(run.seeds), stop) for stop, run in zip(stops, runs, strict=True)]
    self._settings = _settings(runs)
    self._stretch = longest(math.gcd(self._first.log_every, self._first.eval_every))
    self._program = self._devices.compile(self._steps, donates=True)
    evaluator = Evaluator(
      self._first.method, self._first.preprocessing, self._devices, together=True
    )
    self._evaluators = [evaluator.seeing(run.preprocessing) for run in runs]
    # What one says of its validators, all would.
    says = [print, *[lambda _: None] * (len(runs) - 1)]
    self._validations = [
      Validation(run, own, say) for run, own, say in zip(runs, self._evaluators, says, strict=True)
    ]
    self._clock, self._display = Clock(), Display(self._first.steps, is_first_host=True)
    self._shown = 0  # The step that the last line was of.
    self._logs: list[MetricLog] = []
    self._measured: dict[int, dict[str, np.ndarray]] = {}
    self._failed: dict[int, UserError] = {}

  def run(self) -> list[dict[str, Any] | UserError]:
    """Trains to the planned step, and writes the results."""
    states = self._created()
    with contextlib.ExitStack() as stack:
      stack.callback(self._display.close)
      logs = (MetricLog(run.workdir, (), 0, writes=True) for run in self._runs)
      self._logs = [stack.enter_context(log) for log in logs]
      for step, feed in self._feeds():
        states, values = self._program(states, self._pool.arrays, self._devices.shard(feed))
        self._after(step, states, values)
    seconds = self._clock.seconds / len(self._runs)
    results = [self._finished(number, seconds) for number in range(len(self._runs))]
    for lock in self._locks:
      lock.release()
    return results

  def _created(self) -> TrainState:
    """Returns the states at step 0, of all seeds of all runs."""
    run = self._first
    seeds = np.array([seed for run in self._runs for seed in run.seeds], np.int32)
    example = self._pool.inputs.example(run.seeds[0])
    make = lambda seed, settings: create(
      run.method, run.optimizer, example, seed, run.steps, settings
    )
    with self._explained():
      return self._devices.create(jax.vmap(make), seeds, self._settings)

  def _step(self, state: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    run = self._first
    arrays, feed = self._pool.of(arrays, feed)
    batch = self._pool.inputs.batch(arrays, feed, Context(state.step, state.seed, run.steps))
    with self._explained():
      return train_step(
        state, batch, method=run.method, optimizer=run.optimizer, total_steps=run.steps
      )

  @contextlib.contextmanager
  def _explained(self) -> Iterator[None]:
    """Says of a method that cannot be traced what it takes for a constant."""
    try:
      yield
    except _UNTRACEABLE as error:
      names = ', '.join(name for name in self._settings if name != RATE)
      if not names:
        raise
      raise UserError(
        f'{type(self._first.method).__name__} decides by the value of {names}, which therefore '
        f'cannot differ between runs that are trained together ({str(error).splitlines()[0]})'
      ) from error

  def _steps(self, states: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    """Makes the steps of a stretch; returns what the last of them logs.

    Nobody asks for the norms of the steps before: in a loop of their own they are not computed.
    """
    every = jax.vmap(self._step, in_axes=(0, None, 0))
    before, last = (jax.tree.map(lambda x, own=own: x[own], feed) for own in (slice(-1), -1))
    states, _ = jax.lax.scan(lambda own, fed: (every(own, arrays, fed)[0], None), states, before)
    return every(states, arrays, last)

  def _feeds(self) -> Iterator[tuple[int, Feed]]:
    """Yields the steps that are done after each stretch, and its feed."""
    total = self._first.steps
    for start in range(0, total, self._stretch):
      stop = min(start + self._stretch, total)
      yield stop, self._pool.feed(range(start, stop))

  def _after(self, step: int, states: TrainState, logs: Logs) -> None:
    """Logs and evaluates the runs that have not diverged, where that is due."""
    due = lambda every: step % every == 0 or step == self._first.steps
    measures = due(self._first.eval_every)
    if not (measures or due(self._first.log_every)):
      return
    values = parallel.to_host(logs)
    self._show(step, values)
    host = parallel.to_host(states.replace(optimizer={})) if measures else None
    with self._clock.pause():
      self._record(step, values, host)

  def _record(self, step: int, values: Logs, host: TrainState | None) -> None:
    """Writes what is due of each run; `host` is there where they are evaluated."""
    due = step % self._first.log_every == 0 or step == self._first.steps
    for number, rows in enumerate(self._rows):
      own = {name: value[rows] for name, value in sorted(values.items())}
      if broken := [name for name, value in own.items() if not np.isfinite(value).all()]:
        said = f'{broken[0]} is {own[broken[0]].tolist()} at step {step}: training diverged'
        self._failed.setdefault(number, UserError(said))
      if number in self._failed:
        continue
      logged = own if due else {}
      record: dict[str, Any] = {name: value.tolist() for name, value in logged.items()}
      if host is not None:
        record |= self._evaluated(number, _slice(host, rows))
      self._logs[number].write(step, record)

  def _show(self, step: int, values: Logs) -> None:
    """Shows where the runs are: their losses in the mean."""
    self._clock.tick(step - self._shown)
    self._shown = step
    mean = lambda x: float(np.mean(x, where=np.isfinite(x))) if np.isfinite(x).any() else math.nan
    terms = {name[5:]: mean(x) for name, x in values.items() if name.startswith('loss/')}
    splits = sum(len(part.splits) for part in self._pool.inputs.read.values())
    examples = splits * self._first.batch_size * self._rows[-1].stop
    total = self._first.steps
    self._display.show(step, line(step, total, self._clock.rate, examples, terms))

  def _evaluated(self, number: int, state: TrainState) -> dict[str, list[float]]:
    states = [self._devices.replicate(state)]
    measured = measure(self._runs[number], self._evaluators[number], states)
    self._measured[number] = measured
    scalars = {name: value.tolist() for name, value in measured.items() if value.ndim == 1}
    return scalars | self._validations[number].scores(states)

  def _finished(self, number: int, seconds: float) -> dict[str, Any] | UserError:
    """Writes the result of a run; returns it, or why there is none."""
    if number in self._failed:
      return self._failed[number]
    run, records = self._runs[number], self._logs[number].records
    result = summarize(run, self._configs[number], self._measured[number], records, seconds)
    result['trained_together'] = len(self._runs)
    write_result(run.workdir, result)
    return result


def _settings(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """Returns what differs between runs, float32 `[members]`: fields by name, the rate as a multiple.

  What is the same in all stays a constant of the program.
  """
  rates = [run.flags.get('learning_rate', 1.0) for run in runs]
  columns = {RATE: [rate / rates[0] for rate in rates]}
  columns |= {
    name: [getattr(run.method, name) for run in runs] for name in runs[0].numbers.values()
  }
  times = [len(run.seeds) for run in runs]
  return {
    name: np.repeat(np.array(values, np.float32), times)
    for name, values in columns.items()
    if len(set(values)) > 1
  }


def _claimed(run: Run, lock: Lock) -> Mapping[str, Any]:
  """Makes a folder the run's own; what a grid that was stopped left there goes."""
  if (run.workdir / 'checkpoints').exists():
    raise UserError(
      f'--workdir={run.workdir} holds a run with checkpoints: its own command goes on with it'
    )
  config = claim(run, writes=True, lock=lock)
  (run.workdir / 'metrics.jsonl').unlink(missing_ok=True)
  return config


def _slice(tree: Any, rows: slice) -> Any:
  return jax.tree.map(lambda x: x[rows], tree)
