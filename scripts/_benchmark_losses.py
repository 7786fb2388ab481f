"""Times each loss, beside the same in PyTorch, and draws `benchmark_losses.md`."""

import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts import _benchmark_table, _workers
from scripts._workers import Process, Worker
from scripts.benchmark_losses import CLASSES, FEATURES, SIZES
from tlda import losses
from tlda.errors import UserError

Row = Mapping[str, Any]

# The formulas that look at all pairs of examples; the others look at each example once.
PAIRS = frozenset(
  {
    'contrastive_domain_discrepancy',
    'joint_distribution_transport',
    'joint_maximum_mean_discrepancy',
    'local_maximum_mean_discrepancy',
    'maximum_mean_discrepancy',
    'sinkhorn_divergence',
  }
)
_SAME = 1e-3  # How far value and gradients may be apart in float32, as a share of their norm.
_SAMPLE = 0.02  # Seconds that are timed at once.
_SLACK = 1.25  # Caches end somewhere: a loss grows faster than its formula if by more than this.
_NOTES = f"""\
*Fastest* is that of all samples; a ratio of medians is taken within a round, in which the two \
have their turns one after the other. Losses run in one program with their gradients (`jax.jit`), \
PyTorch's eagerly; values and gradients were compared before anything was timed. n examples of \
each domain, {FEATURES} features, {CLASSES} classes, default settings. Twice the examples take \
twice the time where the formula looks at each example, four times where it looks at all pairs; \
*grows* is the ratio of the fastest at the two largest sizes. Beside the formula it counts where \
arrays leave a cache, and where XLA begins to divide a loop among threads. *Memory* is by how \
much the process's resident memory grew at most during one call, arguments not included; of a few \
MiB, some may be used again that were freed before, and are not seen. PyTorch's threads sleep \
while they wait (`OMP_WAIT_POLICY=PASSIVE`); OpenBLAS, by which JAX decomposes matrices, has one \
(`OPENBLAS_NUM_THREADS=1`), for on a busy machine its threads make that hundreds of times slower.
"""


def measure(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures value and gradient of all losses at all sizes.

  Args:
    torch_python: A Python that has PyTorch and NumPy; None leaves PyTorch out.
    rounds: How often each case has its turn.
    seconds: How long a turn lasts, at least one computation.

  Returns:
    The device, versions of each side, a row for each loss, size and side, and what was left out.

  Raises:
    UserError: PyTorch's side computes other numbers, or a process ended before its time.
  """
  commands = {'tlda': (sys.executable, '-m', 'scripts.benchmark_losses')}
  if torch_python:
    module, packages = 'scripts.benchmark_losses_torch', ('torch', 'numpy')
    commands['PyTorch'] = _workers.torch(torch_python, module, packages)
  cases = [f'{name}:{size}' for name in losses.names() for size in SIZES]
  workers = compare(commands, cases, rounds, seconds)
  about = {side: worker.ready['about'] for side, worker in workers[cases[0]].items()}
  return {
    'device': about['tlda']['device'],
    'versions': {side: each['versions'] for side, each in about.items()},
    'cases': [
      {
        'loss': case.partition(':')[0],
        'batch': int(case.partition(':')[2]),
        'side': side,
        **worker.row(),
        'growth_bytes': worker.ready['growth_bytes'],
      }
      for case, sides in workers.items()
      for side, worker in sides.items()
    ],
    'left_out': [] if torch_python else [_workers.NO_TORCH],
  }


def compare(
  commands: Mapping[str, Sequence[str]], cases: Sequence[str], rounds: int, seconds: float
) -> dict[str, dict[str, Worker]]:
  """Runs cases on all sides, in turns.

  Args:
    commands: How the process of each side is started, but for the folder in which they meet.
    cases: Each a loss and a size, `coral:64`.
    rounds: How often each has its turn.
    seconds: How long a turn lasts.

  Returns:
    The workers of each case by side, with their rounds.

  Raises:
    UserError: A side computes other numbers than the first, or ended before its time.
  """
  workers: dict[str, dict[str, Worker]] = {}
  with contextlib.ExitStack() as stack:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    processes = {
      side: stack.enter_context(Process(side, (*command, folder)))
      for side, command in commands.items()
    }
    for case in cases:
      print(case, flush=True)
      workers[case] = {side: Worker(process, case) for side, process in processes.items()}
      shutil.rmtree(Path(folder) / case, ignore_errors=True)
      for side, worker in workers[case].items():
        difference = worker.ready['about'].get('difference', 0)
        if not difference <= _SAME:
          raise UserError(f'{case}: {side} has other numbers, by {difference:.1e} of their norm')
        # A short call is timed again, for the first was not yet at full speed.
        step = worker.ready['first_call']
        worker.tune(seconds, sample=_SAMPLE, step=step if step > seconds else None)
    _workers.take_turns([list(sides.values()) for sides in workers.values()], rounds)
  return workers


def markdown(result: Mapping[str, Any]) -> str:
  """Returns the tables of a result, and how it was made."""
  rows = {(row['loss'], row['batch'], row['side']): row for row in result['cases']}
  names, sizes = (
    list(dict.fromkeys(row[key] for row in result['cases'])) for key in ('loss', 'batch')
  )
  grows = {
    side: {name: _growth([rows[name, size, side] for size in sizes]) for name in names}
    for side in result['versions']
  }
  cells = lambda name: [f'{1e3 * rows[name, size, "tlda"]["minimum"]:.3g}' for size in sizes]
  growth = lambda name: [f'{each[name]:.1f}' for each in grows.values()]
  header = ['Loss, ms at its fastest', *map(_examples, sizes)]
  header += ['Grows', 'PyTorch grows'][: len(grows)] + ['Formula']
  faster = [
    f'{name} ({" against ".join(growth(name))})'
    for name in names
    if grows['tlda'][name] > _SLACK * _bound(name)
  ]
  lines = [
    '**Losses**: value and gradient.\n',
    _table(header, names, lambda name: [*cells(name), *growth(name), str(_bound(name))]),
    *(_against_torch(rows, names, sizes) if 'PyTorch' in result['versions'] else []),
    f'Grows faster than its formula: {", ".join(faster) or "none"}.\n',
    _NOTES,
    ''.join(f'{sentence}.\n' for sentence in result['left_out']),
    _benchmark_table.made(result, list(result['versions'].values())),
  ]
  return '\n'.join(line for line in lines if line)


def _against_torch(rows: Mapping[Any, Row], names: list[str], sizes: list[int]) -> list[str]:
  """Returns the ratios of times and the memory, and which losses are slower."""
  ratios = {
    (name, size): _benchmark_table.ratio(rows[name, size, 'tlda'], rows[name, size, 'PyTorch'])
    for name in names
    for size in sizes
  }
  slower = [
    f'{name} at {size} ({median:.2f}, {fastest:.2f})'
    for (name, size), (median, _, _, fastest, _) in ratios.items()
    if min(median, fastest) > 1
  ]
  cell = lambda found: f'{found[0]:.2f} ({found[3]:.2f})'
  median = statistics.median(found[0] for found in ratios.values())
  header = ["Time in units of PyTorch's, median (fastest)", *map(_examples, sizes)]
  memory = lambda name: [
    '–' if (size := rows[name, sizes[-1], side]['growth_bytes']) is None else f'{size / 2**20:.1f}'
    for side in ('tlda', 'PyTorch')
  ]
  return [
    _table(header, names, lambda name: [cell(ratios[name, size]) for size in sizes]),
    f'Slower than PyTorch in both: {", ".join(slower) or "none"}. '
    f'The median of all is {median:.2f}.\n',
    _table([f'Memory, MiB at {_examples(sizes[-1])}', 'tlda', 'PyTorch'], names, memory),
  ]


def _table(header: list[str], names: list[str], cells: Callable[[str], list[str]]) -> str:
  lines = [header, ['---', *['--:'] * (len(header) - 1)]]
  return ''.join(f'| {" | ".join(line)} |\n' for line in lines + [[n, *cells(n)] for n in names])


def _examples(size: int) -> str:
  return f'n = {size:,}'


def _growth(rows: Sequence[Row]) -> float:
  """Returns what the time at the largest size is in units of that at the second largest."""
  return rows[-1]['minimum'] / rows[-2]['minimum']


def _bound(name: str) -> int:
  """Returns by how much the time may grow when the number of examples doubles."""
  return 4 if name in PAIRS else 2
