"""The loop: stream, step, log, evaluate, checkpoint. It resumes by default, bit for bit."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from tlda.errors import UserError
from tlda.methods import Context
from tlda.training import parallel
from tlda.training import seeds as seeds_lib
from tlda.training.checkpoint import SELECTED, Checkpoints, unflatten
from tlda.training.evaluate import Evaluator
from tlda.training.inputs import Feed, Inputs, parts
from tlda.training.logs import MetricLog
from tlda.training.preemption import Notice, Preempted
from tlda.training.progress import Clock, Display, line
from tlda.training.result import collect, explain, features, measure, summarize, write
from tlda.training.run import Run, claim, refuse, stride
from tlda.training.selected import Chosen
from tlda.training.start import arrays_of, begin_with, without
from tlda.training.state import TrainState, create
from tlda.training.step import Logs, train_step
from tlda.training.validation import Validation
from tlda.training.workdir import Lock


def fit(run: Run) -> dict[str, Any]:
  """Trains, or goes on with, or finds finished, what `run` says, and writes its folder.

  Args:
    run: The training.

  Returns:
    What `result.json` holds.

  Raises:
    UserError: The folder belongs to another run, a loss is no longer finite, a checkpoint cannot
      be read.
    Preempted: The run was told to stop; its state is saved.
  """
  trainer = Trainer(run)
  try:
    return trainer.run()
  finally:
    trainer.close()


class Trainer:
  """One run in progress: its devices, inputs, states and files."""

  def __init__(self, run: Run, devices: parallel.Parallel | None = None) -> None:
    """Claims the folder, places the data and compiles nothing yet.

    Args:
      run: The training.
      devices: What it runs on; None takes all devices in the style that the run says.
    """
    self._run, self._first = run, parallel.is_first_host()
    refuse(run)
    read = parts(run.method, run.sources, run.target, run.labelled_target)
    self._devices = devices or parallel.Parallel(run.distribute, run.batch_size)
    self._lock = Lock()
    self._config = claim(run, writes=self._first, lock=self._lock if self._first else None)
    parallel.barrier('claimed')
    if not (run.workdir / 'config.json').exists():
      raise UserError(
        f'--workdir={run.workdir} is not shared by all hosts: use gs:// or a network drive'
      )
    self._together = seeds_lib.together(run.method.spec.input_shape, len(run.seeds))
    self._inputs = Inputs(
      read,
      batch_size=run.batch_size,
      preprocessing=run.preprocessing,
      views=run.method.views,
      parallel=self._devices,
      augment=run.augment,
    )
    self._stride = stride(run, resident=self._inputs.is_resident)
    function = self._step if self._stride == 1 else self._steps
    self._program = seeds_lib.Program(
      self._devices, function, together=self._together, donates=True
    )
    self._evaluator = Evaluator(
      run.method, run.preprocessing, self._devices, together=self._together
    )
    self._checkpoints = Checkpoints(run.workdir / 'checkpoints')
    self._chosen = Chosen(run.workdir / SELECTED, run.select)
    self._display = Display(run.steps, self._first)
    self._validation = Validation(run, self._evaluator, self._display.say)
    self._notice = Notice()

  def run(self) -> dict[str, Any]:
    """Trains to the planned step, and writes the result."""
    with self._notice:
      return self._trained()

  def _trained(self) -> dict[str, Any]:
    run = self._run
    states, start, seconds = self._start()
    result = run.workdir / 'result.json'
    known = json.loads(result.read_text()) if start == run.steps and result.exists() else {}
    if known and known.get('explained', True):
      self._display.say(f'{run.workdir} is finished (step {start}): nothing to train')
      return known
    if start:
      self._display.say(f'resuming {run.workdir} at step {start}')
    clock = Clock(seconds)
    with MetricLog(run.workdir, run.seeds, start, writes=self._first) as log:
      feeds = self._feeds(start)
      done = start
      for step, feed in feeds:
        states = self._domain_passes(states, done)
        states, logs = self._train(states, feed)
        clock.tick(step - done)
        done = step
        self._after(step, states, logs, log, clock)
      return self._finish(states, log, clock)

  def close(self) -> None:
    """Gives the terminal back, waits for what is being written, and lets others in."""
    self._display.close()
    self._checkpoints.close()
    self._chosen.close()
    self._lock.release()

  def _feeds(self, start: int) -> Iterator[tuple[int, list[Feed]]]:
    """Yields the steps that are done after each call of the program, and its feeds."""
    seeds, steps = self._run.seeds, self._run.steps
    if self._stride == 1:
      return enumerate(self._inputs.feeds(seeds, start, steps), start=start + 1)
    return self._inputs.stretches(seeds, start, steps, self._stride)

  def _steps(self, state: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    """Makes the steps of a stretch; returns what the last of them logs."""
    step = lambda state, own: self._step(state, arrays, own)
    state, logs = jax.lax.scan(step, state, feed)
    return state, jax.tree.map(lambda x: x[-1], logs)

  def _step(self, state: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    run = self._run
    context = Context(state.step, state.seed, run.steps)
    batch = self._inputs.batch(arrays, feed, context)
    return train_step(
      state, batch, method=run.method, optimizer=run.optimizer, total_steps=run.steps
    )

  def _train(
    self, states: Sequence[TrainState], feeds: Sequence[Feed]
  ) -> tuple[list[TrainState], list[Logs]]:
    results = self._program(states, self._inputs.arrays, feeds)
    return [state for state, _ in results], [logs for _, logs in results]

  def _created(self) -> list[TrainState]:
    """Returns the states at step 0, with the weights to start from where there are any."""
    run = self._run
    example = self._inputs.example(run.seeds[0])
    make = lambda seed: create(run.method, run.optimizer, example, seed, run.steps)
    if run.initial is None and run.weights is None and not run.given:
      return seeds_lib.create(self._devices, make, run.seeds, together=self._together)
    arrays = arrays_of(run, jax.eval_shape(make, jax.ShapeDtypeStruct((), np.int32)))
    draw = lambda seed: without(make(seed), arrays)
    states = seeds_lib.create(self._devices, draw, run.seeds, together=self._together)
    stacked = seeds_lib.stack(states, together=self._together)
    stacked = begin_with(arrays, stacked, run.method, run.optimizer)
    return seeds_lib.unstack(self._devices, stacked, together=self._together)

  def _start(self) -> tuple[list[TrainState], int, float]:
    """Returns states, step and seconds of the last checkpoint, or of the very start."""
    found = self._checkpoints.latest(say=self._display.say)
    states = self._created()
    self._before = features(self._run, self._evaluator, states)
    step = 0 if found is None else found[0]
    if not parallel.agree(step):
      raise UserError(
        f'the hosts do not see the same checkpoints in {self._run.workdir} (here: step {step}): '
        'is it a drive that all share?'
      )
    if found is None:
      return states, 0, 0.0
    step, arrays, note = found
    stacked = seeds_lib.stack(states, together=self._together)
    states = seeds_lib.unstack(self._devices, unflatten(arrays, stacked), together=self._together)
    return states, step, note['seconds']

  def _domain_passes(self, states: list[TrainState], step: int) -> list[TrainState]:
    """Makes the passes over whole domains that are due before a step."""
    run = self._run
    for each in run.method.domain_passes():
      if not each.is_due(step, run.steps):
        continue
      source = each.domain == 'source'
      if source and len(run.sources) > 1:
        raise UserError(
          f'{type(run.method).__name__} passes over one source, and there are several'
        )
      split = run.sources[0].train if source else run.target.train
      branch = 0 if source else run.method.spec.target_domain
      seen = self._evaluator.outputs(states, split, branch, method=each.outputs)
      stacked = seeds_lib.stack(states, together=self._together)
      update = getattr(run.method, each.update)
      pick = lambda tree, place: jax.tree.map(lambda x: x[place], tree)
      changed = [
        update(pick(stacked.variables, place), pick(seen, place)) for place in range(len(run.seeds))
      ]
      changed = jax.tree.map(lambda *x: np.stack(x), *changed)
      stacked = stacked.replace(states={**stacked.states, **changed})
      states = seeds_lib.unstack(self._devices, stacked, together=self._together)
    return states

  def _after(
    self, step: int, states: list[TrainState], logs: list[Logs], log: MetricLog, clock: Clock
  ) -> None:
    """Does what is due after a step: logs, evaluates, saves, stops."""
    run, last = self._run, step == self._run.steps
    stop = self._notice.has_come() and not last
    due = lambda every: step % every == 0 or last
    saving = due(run.checkpoint_every) or stop
    if not (due(run.log_every) or due(run.eval_every) or saving):
      return
    values = seeds_lib.stack(logs, together=self._together)
    with clock.pause():
      self._check_finite(step, values)
      record = self._logged(step, values, clock) if due(run.log_every) else {}
      if due(run.eval_every):
        record |= self._evaluated(states)
        self._chosen.offer(step, record, states, together=self._together)
      if record:
        log.write(step, record)
      if saving:
        stacked = seeds_lib.stack(states, together=self._together)
        self._checkpoints.save(step, stacked, {'seconds': clock.seconds})
    if stop:
      raise Preempted(f'stopped at step {step} of {run.steps}, saved in {run.workdir}')

  def _logged(self, step: int, values: Logs, clock: Clock) -> dict[str, Any]:
    """Shows the progress line, and returns what to log of a step."""
    rate, examples = clock.rate, self._examples_per_step
    terms = {name[5:]: float(np.mean(v)) for name, v in values.items() if name.startswith('loss/')}
    self._display.show(step, line(step, self._run.steps, rate, examples, terms))
    record: dict[str, Any] = {name: value.tolist() for name, value in sorted(values.items())}
    return record | ({'examples_per_second': round(rate * examples, 1)} if rate else {})

  @property
  def _examples_per_step(self) -> int:
    domains = sum(len(part.splits) for part in self._inputs.read.values())
    return domains * self._run.batch_size * len(self._run.seeds)

  def _check_finite(self, step: int, values: Logs) -> None:
    for name, value in sorted(values.items()):
      for seed, number in zip(self._run.seeds, value, strict=True):
        if not math.isfinite(number):
          raise UserError(
            f'{name} of seed {seed} is {number} at step {step}: training diverged; the last good '
            f'checkpoint is kept in {self._run.workdir}. Try a smaller '
            '--learning_rate, in another workdir'
          )

  def _evaluated(self, states: list[TrainState]) -> dict[str, list[float]]:
    """Returns every scalar metric on the tests, and every validator's score: lists over seeds."""
    measured = measure(self._run, self._evaluator, states)
    scalars = {name: value.tolist() for name, value in measured.items() if value.ndim == 1}
    return scalars | self._validation.scores(states)

  def _finish(self, states: list[TrainState], log: MetricLog, clock: Clock) -> dict[str, Any]:
    """Measures the last step, and writes the result and the samples of the report."""
    run = self._run
    seconds = clock.seconds
    samples, seen = collect(run, self._evaluator, states, self._before)
    measured = measure(run, self._evaluator, states)
    result = summarize(run, self._config, measured, log.records, seconds)
    if self._first:  # Before what only explains it, which may take memory and fail.
      write(run.workdir, {**result, 'explained': False}, samples)
    variables = self._evaluator.first_seed(states)
    more, about = explain(run, variables, samples, seen, self._display.say)
    result |= about
    if self._first:
      write(run.workdir, result, samples | more)
    parallel.barrier('finished')
    return result
