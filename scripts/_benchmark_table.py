"""Draws `benchmark_step.md` from `benchmark_step.json`."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

# What is compared, by the time of a step and seed: the first case, in units of the second.
COMPARED = (
  ('host-fed', 'resident'),
  ('8 devices', 'resident'),
  ('5 seeds', 'resident'),
  ('MLP, 5 seeds', 'MLP'),
  ('resident', 'PyTorch on CPU, default'),
  ('resident', 'PyTorch on CPU, channels_last'),
)
_CASES = """\
| Case | ms a step, median | Fastest | CPU ms | Steps/s | Examples/s | Host work | First call, s \
| Peak memory, MiB |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""
_RATIOS = """\
| Time of a step and seed | Median of rounds | Lowest, highest | Of the fastest | Of CPU time |
|---|--:|--:|--:|--:|
"""
_NOTES = """\
Steps/s and examples/s follow from the median. A step of `5 seeds` is one of each. *CPU ms* is \
what all threads of the process compute in a step: other programs hardly disturb it. *Host work* \
is the CPU time of the Python thread that makes a feed and dispatches it, as a share of the \
fastest step. The *first call* compiles. *Peak memory* is that of the process (on an \
accelerator, the device's), two sets of 60,000 examples included. Cases took turns, each in a \
process of its own; a ratio of medians is taken within a round. PyTorch's threads sleep while they \
wait (`OMP_WAIT_POLICY=PASSIVE`)"""
_ONE_THREAD = '; OpenBLAS has one (`OPENBLAS_NUM_THREADS=1`)'


def markdown(result: Mapping[str, Any]) -> str:
  """Returns the tables of a result, and how it was made."""
  cases, compared = result['cases'], _ratios(result['cases'])
  lines = [
    '**Training step**: DANN on the MNIST network of Ganin et al. (2016), 64 source and 64 target '
    'images of 28x28x3; `MLP` is a shallow network on 512 numbers.\n',
    _CASES + ''.join(map(_case, cases)),
    _RATIOS + ''.join(compared) if compared else '',
    f'{_NOTES}{_ONE_THREAD * (result.get("blas_threads") == 1)}.\n',  # Old ones had all.
    ''.join(f'{sentence}.\n' for sentence in result['left_out']),
    made(result, [row['versions'] for row in cases]),
  ]
  return '\n'.join(line for line in lines if line)


def made(result: Mapping[str, Any], versions: Sequence[Mapping[str, str]]) -> str:
  """Returns how a result was made: command, commit, rounds, machine.

  Args:
    result: The result of any benchmark.
    versions: Names and versions of packages, of each case or side; equal ones are said once.
  """
  commit = result['commit']
  sides = dict.fromkeys(', '.join(map(' '.join, side.items())) for side in versions)
  lines = [
    f'- `{result["command"]}` at `{commit[:12]}{"+" * commit.endswith("+")}`',
    f'- {result["rounds"]} rounds of {result["seconds_in_a_round"]:g} s a case, on '
    f'{result["device"]["kind"]}, {result["cores"]} cores; load at the start {result["load"]:.1f}',
    f'- {"; ".join(sides)}\n',
  ]
  return '\n'.join(lines)


def ratio(row: Row, base: Row) -> tuple[float, ...]:
  """Returns a case's time of a step (and seed, where there are several) in units of another's.

  Args:
    row: The case.
    base: The other, measured in the same rounds.

  Returns:
    The median of the rounds' ratios, the lowest, the highest; the ratio of the fastest samples;
    that of CPU time.
  """
  share = base.get('seeds', 1) / row.get('seeds', 1)
  pairs = zip(row['median_of_each_round'], base['median_of_each_round'], strict=True)
  found = [share * own / other for own, other in pairs]
  fastest, cpu = (share * row[key] / base[key] for key in ('minimum', 'cpu_seconds'))
  return statistics.median(found), min(found), max(found), fastest, cpu


def _ratios(cases: Sequence[Row]) -> list[str]:
  rows, lines = {row['case']: row for row in cases}, []
  for name, base in COMPARED:
    if name in rows and base in rows and rows[name]['platform'] == rows[base]['platform']:
      median, low, high, *others = (f'{value:.2f}' for value in ratio(rows[name], rows[base]))
      cells = (f'{name} / {base}', median, f'{low}, {high}', *others)
      lines.append(f'| {" | ".join(cells)} |\n')
  return lines


def _case(row: Row) -> str:
  """Returns the line of a case."""
  median, fastest = statistics.median(row['median_of_each_round']), row['minimum']
  host, peak = row['host_share'], row['peak_bytes']
  cells = (
    row['case'],
    f'{1e3 * median:.2f}',
    f'{1e3 * fastest:.2f}',
    f'{1e3 * row["cpu_seconds"]:.2f}',
    f'{1 / median:.1f}',
    f'{row["examples"] / median:,.0f}',
    '–' if host is None else f'{100 * host:.1f} %',
    f'{row["first_call_seconds"]:.1f}',
    '–' if peak is None else f'{peak / 2**20:,.0f}',
  )
  return f'| {" | ".join(cells)} |\n'
