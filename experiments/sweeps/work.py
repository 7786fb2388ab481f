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

from experiments import common
from experiments.sweeps import claims, places, plan, state
from experiments.sweeps.claims import Lease
from experiments.sweeps.plan import Plan
from experiments.sweeps.state import Run
from tlda.errors import UserError
from tlda.training.preemption import EXIT_CODE, Preempted

# What trains: an experiment, and the words of its command line.
Train = Callable[[str, Sequence[str]], object]


def train(name: str, words: Sequence[str]) -> None:
  """Trains one run of an experiment."""
  common.launch(plan.experiment(name), [name, *words])
  jax.clear_caches()  # The programs of a run are of no use to the next.


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
) -> None:
  """Works until every run is done or has failed.

  A run that fails is left with its error, and the next one begins. On SIGTERM the run at hand is
  saved and given back.

  Args:
    folder: Of the sweep.
    local: Flags of this machine, for every run.
    term: Seconds after which this worker is taken for lost when nothing is heard of it.
    retry_failed: Whether to take up runs that have failed before.
    wait: Whether to stay while others work, and take up what they lose.
    train: What trains a run.

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
      if taken := _next(runs, folder, term, began if retry_failed else 0.0):
        run, lease = taken
        print(f'run {run.id}: {shlex.join(drawn.words(run.id))}', flush=True)
        words = [*drawn.words(run.id), *local, f'--workdir={run.workdir}']
        _run(run, lease, functools.partial(train, drawn.experiment, words))
      elif wait and any(run.state == state.RUNNING for run in runs):
        time.sleep(term / claims.BEATS)
      else:
        return


def _next(
  runs: Sequence[Run], folder: str, term: float, failed_before: float
) -> tuple[Run, Lease] | None:
  """Takes a run: one that nobody has, else one whose worker is lost, else one that failed.

  What may have cost a worker its life comes after all that is new.
  """
  of = lambda wanted: [run for run in runs if run.state == wanted]
  failed = [run for run in of(state.FAILED) if run.claims[-1].expires < failed_before]
  for run in (*of(state.WAITING), *of(state.STALE), *failed):
    if lease := claims.take(folder, run.id, len(run.claims), term):
      return run, lease
  return None


def _run(run: Run, lease: Lease, train: Callable[[], object]) -> None:
  """Trains a run that was taken; an error is written down, and a stop gives the run back."""
  error = f'{run.workdir}/error.txt'
  try:
    with lease.kept():
      places.remove(error)
      train()
  except (Preempted, KeyboardInterrupt, SystemExit):
    lease.end(claims.RELEASED)
    raise
  except Exception as problem:  # Whatever it is: the other runs may do without.
    said = str(problem) if isinstance(problem, UserError) else traceback.format_exc()
    places.replace(error, said.rstrip() + '\n')
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
