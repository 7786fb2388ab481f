"""A worker: takes the next run that nobody has, trains it, and so on to the end of the sweep."""

import contextlib
import functools
import io
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence

import jax

from experiments import common, together
from experiments.sweeps import claims, places, plan, state
from experiments.sweeps.claims import Lease
from experiments.sweeps.plan import Plan
from experiments.sweeps.state import Run
from tlda.errors import UserError
from tlda.training.preemption import EXIT_CODE, Preempted

# What trains: an experiment, and the words of its command line; or those of many runs, of which
# each is a result or an error.
Train = Callable[[str, Sequence[str]], object]
TrainAll = Callable[[str, Sequence[Sequence[str]]], Sequence[object]]


def train(name: str, words: Sequence[str]) -> None:
  """Trains one run of an experiment."""
  common.launch(plan.experiment(name), [name, *words])
  jax.clear_caches()  # The programs of a run are of no use to the next.


def train_together(name: str, words: Sequence[Sequence[str]]) -> Sequence[object]:
  """Trains runs of an experiment, all that fit one program in one."""
  found = together.launch(plan.experiment(name), [[name, *own] for own in words])
  jax.clear_caches()
  return found


def check(drawn: Plan, local: Sequence[str]) -> None:
  """Builds the first run of a plan, and trains nothing.

  Raises:
    UserError: It does not fit, as then no run does.
  """
  words = drawn.words(next(iter(drawn.runs)))
  with contextlib.redirect_stdout(io.StringIO()):
    train(drawn.experiment, [*words, *local, '--dry_run'])


def work(
  folder: str,
  local: Sequence[str] = (),
  *,
  term: float,
  retry_failed: bool = False,
  wait: bool = True,
  train: Train = train,
  train_all: TrainAll | None = None,
) -> None:
  """Works until every run is done or has failed.

  A run that fails is left with its error, and the next one begins. On SIGTERM the run at hand is
  saved and given back; runs that are trained together are given back, and begin anew.

  Args:
    folder: Of the sweep.
    local: Flags of this machine, for every run.
    term: Seconds after which this worker is taken for lost when nothing is heard of it.
    retry_failed: Whether to take up runs that have failed before.
    wait: Whether to stay while others work, and take up what they lose.
    train: What trains a run.
    train_all: What trains all runs that nobody has, instead; None trains one after another.

  Raises:
    UserError: There is no such sweep, or its plan does not fit this checkout.
    Preempted: The worker was told to stop.
  """
  began = time.time()
  plan.verify(plan.read(folder), folder)
  with _stopping():
    while True:
      drawn = plan.read(folder)  # Anew: more may have been asked for.
      runs = state.look(drawn, folder)
      most = len(runs) if train_all else 1
      taken = list(_taken(runs, folder, term, began if retry_failed else 0.0, most))
      words = [[*drawn.words(run.id), *local, f'--workdir={run.workdir}'] for run, _ in taken]
      for run, _ in taken:
        print(f'run {run.id}: {shlex.join(drawn.words(run.id))}', flush=True)
      if taken and train_all:
        _run(taken, functools.partial(train_all, drawn.experiment, words))
      elif taken:
        _run(taken, functools.partial(_one, train, drawn.experiment, words[0]))
      elif wait and any(run.state == state.RUNNING for run in runs):
        time.sleep(term / claims.BEATS)
      else:
        return


def _taken(
  runs: Sequence[Run], folder: str, term: float, failed_before: float, most: int
) -> Iterator[tuple[Run, Lease]]:
  """Takes runs: those that nobody has, then those whose worker is lost, then those that failed.

  What may have cost a worker its life comes after all that is new, and one by one.
  """
  of = lambda wanted: [run for run in runs if run.state == wanted]
  failed = [run for run in of(state.FAILED) if run.claims[-1].expires < failed_before]
  taken = 0
  for run in (*of(state.WAITING), *of(state.STALE), *failed):
    if taken == most or (taken and run.state != state.WAITING):
      return
    if lease := claims.take(folder, run.id, len(run.claims), term):
      taken += 1
      yield run, lease


def _one(train: Train, experiment: str, words: Sequence[str]) -> Sequence[object]:
  return [train(experiment, words)]


def _run(taken: Sequence[tuple[Run, Lease]], train: Callable[[], Sequence[object]]) -> None:
  """Trains runs that were taken; an error is written down, and a stop gives the runs back."""
  try:
    with contextlib.ExitStack() as stack:
      for run, lease in taken:
        stack.enter_context(lease.kept())
        places.remove(f'{run.workdir}/error.txt')
      results = train()
  except (Preempted, KeyboardInterrupt, SystemExit):
    for _, lease in taken:
      lease.end(claims.RELEASED)
    raise
  except Exception as problem:  # Whatever it is: the other runs may do without.
    results = [problem] * len(taken)
  for (run, lease), found in zip(taken, results, strict=True):
    if isinstance(found, Exception):
      _fail(run, lease, found)


def _fail(run: Run, lease: Lease, problem: Exception) -> None:
  """Leaves a run with its error."""
  known = isinstance(problem, UserError)
  said = str(problem) if known else ''.join(traceback.format_exception(problem))
  places.replace(f'{run.workdir}/error.txt', said.rstrip() + '\n')
  lease.end(claims.FAILED)
  print(f'run {run.id} failed: {said.strip().splitlines()[-1]}', file=sys.stderr, flush=True)


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
  """Makes SIGTERM an exit that can be answered also where no training listens to it."""
  before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_CODE))
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, before)
