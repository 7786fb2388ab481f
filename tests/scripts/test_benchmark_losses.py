import ast
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts import _benchmark_losses, _worker, benchmark
from scripts.benchmark_losses import LossBench, draw
from tlda import losses
from tlda.errors import UserError

# A side that answers without a clock, and is as far off as its first argument says.
ANSWERS = """
import sys
from scripts import _worker
about = {'device': {'platform': 'cpu', 'kind': 'cpu'}, 'versions': {'jax': '1.2'}}
about['difference'] = float(sys.argv[1])
for line in sys.stdin:
  case, *size = line.split()
  told = {'seconds': [0.05, 0.02, 0.03], 'cpu_seconds': [0.06, 0.01, 0.04], 'host_seconds': None}
  first = {'first_call': 0.02, 'about': about, 'growth_bytes': 2**21}
  _worker.tell(told | {'peak_bytes': None} if size else first)
"""


def _row(loss: str, batch: int, side: str, *medians: float) -> dict[str, Any]:
  return {
    'loss': loss,
    'batch': batch,
    'side': side,
    'median_of_each_round': list(medians),
    'minimum': min(medians),
    'cpu_seconds': min(medians),
    'growth_bytes': 3 * 2**19 * len(side),
  }


def _result(*rows: dict[str, Any]) -> dict[str, Any]:
  return {
    'benchmark': 'losses',
    'command': 'python scripts/benchmark.py losses',
    'commit': '0123456789abcdef',
    'device': {'kind': 'cpu'},
    'cores': 2,
    'load': 0.5,
    'rounds': 2,
    'seconds_in_a_round': 0.1,
    'versions': {side: {side: '1'} for side in dict.fromkeys(row['side'] for row in rows)},
    'cases': list(rows),
    'left_out': [],
  }


def test_each_loss_has_a_counterpart_in_pytorch_of_the_same_arguments() -> None:
  files = (benchmark.ROOT / 'scripts').glob('_losses_torch*.py')
  nodes = [node for file in files for node in ast.parse(file.read_text()).body]
  functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
  written = {f.name: [argument.arg for argument in f.args.args] for f in functions}
  assert losses.names() == sorted(name for name in written if not name.startswith('_'))
  for name in losses.names():
    # PyTorch knows no keys, and is given what is drawn from one.
    expected = [{'key': 'directions'}.get(argument, argument) for argument in draw(name, 4)]
    assert written[name] == expected, name


def test_formulas_of_all_pairs_are_losses() -> None:
  assert set(losses.names()) > _benchmark_losses.PAIRS


def test_arguments_and_results_are_left_for_the_other_side(tmp_path: Path) -> None:
  bench = LossBench('confident_cross_entropy', 8, tmp_path / 'case')
  bench.run(2)
  given, found = (np.load(tmp_path / 'case' / f'{name}.npz') for name in ('given', 'found'))
  weak, strong = given['weak_logits'].astype(float), given['strong_logits'].astype(float)
  probabilities = np.exp(weak) / np.exp(weak).sum(axis=1, keepdims=True)
  costs = np.log(np.exp(strong).sum(axis=1)) - strong[np.arange(8), weak.argmax(axis=1)]
  sure = probabilities.max(axis=1) >= 0.95
  assert 0 < sure.sum() < 8
  np.testing.assert_allclose(found['value'], (sure * costs).mean(), rtol=1e-5)
  assert not found['weak_logits'].any() and found['strong_logits'].any(axis=1).tolist() == [*sure]


def test_a_key_is_told_as_what_is_drawn_from_it(tmp_path: Path) -> None:
  LossBench('sliced_wasserstein_discrepancy', 4, tmp_path / 'case')
  given = np.load(tmp_path / 'case' / 'given.npz')
  assert set(given) == {'logits', 'other_logits', 'directions'}


def test_sides_are_compared_and_take_turns() -> None:
  commands = dict.fromkeys(('tlda', 'PyTorch'), (sys.executable, '-c', ANSWERS, '1e-4'))
  workers = _benchmark_losses.compare(commands, ['coral:64', 'coral:128'], 2, 0.1)
  assert {case: list(sides) for case, sides in workers.items()} == {
    'coral:64': ['tlda', 'PyTorch'],
    'coral:128': ['tlda', 'PyTorch'],
  }
  row = workers['coral:128']['PyTorch'].row()
  assert row['median_of_each_round'] == [0.03, 0.03] and row['minimum'] == 0.02
  assert (row['samples_in_a_round'], row['steps_in_a_sample']) == (3, 1)


@pytest.mark.parametrize('difference', ['0.01', 'nan'])
def test_other_numbers_are_not_timed(difference: str) -> None:
  commands = {'PyTorch': (sys.executable, '-c', ANSWERS, difference)}
  with pytest.raises(UserError, match='coral:64: PyTorch has other numbers'):
    _benchmark_losses.compare(commands, ['coral:64'], 1, 0.1)


def test_the_tables() -> None:
  rows = [
    _row('coral', 1024, 'tlda', 0.010, 0.020),
    _row('coral', 1024, 'PyTorch', 0.020, 0.020),
    _row('coral', 2048, 'tlda', 0.030, 0.060),
    _row('coral', 2048, 'PyTorch', 0.020, 0.020),
    _row('sinkhorn_divergence', 1024, 'tlda', 0.1, 0.1),
    _row('sinkhorn_divergence', 1024, 'PyTorch', 0.2, 0.2),
    _row('sinkhorn_divergence', 2048, 'tlda', 0.4, 0.4),
    _row('sinkhorn_divergence', 2048, 'PyTorch', 0.4, 0.4),
  ]
  lines = _benchmark_losses.markdown(_result(*rows)).splitlines()
  assert '| coral | 10 | 30 | 3.0 | 1.0 | 2 |' in lines
  assert '| sinkhorn_divergence | 100 | 400 | 4.0 | 2.0 | 4 |' in lines
  assert '| coral | 0.75 (0.50) | 2.25 (1.50) |' in lines
  assert '| coral | 6.0 | 10.5 |' in lines
  assert 'Grows faster than its formula: coral (3.0 against 1.0).' in lines
  slower = 'Slower than PyTorch in both: coral at 2048 (2.25, 1.50). The median of all is 0.88.'
  assert slower in lines
  assert '- tlda 1; PyTorch 1' in lines


def test_the_tables_without_pytorch() -> None:
  rows = [_row('coral', size, 'tlda', 0.01) for size in (64, 128)]
  table = _benchmark_losses.markdown(_result(*rows))
  assert '| coral | 10 | 10 | 1.0 | 2 |' in table.splitlines()
  assert "of PyTorch's" not in table and 'Grows faster than its formula: none.' in table


def test_what_a_call_needs_is_seen() -> None:
  filled, growth = _worker.growth_bytes(lambda: bytes(b'1' * 2**26)[:10])
  assert filled == b'1' * 10
  if growth is None:
    pytest.skip('only Linux tells')
  assert 0.9 * 2**26 < growth < 2**27  # Linux counts pages in lots.


class _Bench:
  """Remembers what it was asked."""

  def __init__(self, case: str) -> None:
    self.about = {'case': case}
    self.calls: list[int] = []

  def run(self, steps: int) -> None:
    self.calls.append(steps)

  def host_seconds(self) -> None:
    return None

  def peak_bytes(self) -> None:
    return None


def test_cases_are_made_once_and_sampled_by_name(
  monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  made: list[_Bench] = []

  def make(case: str) -> _Bench:
    made.append(_Bench(case))
    return made[-1]

  monkeypatch.setattr(sys, 'stdin', io.StringIO('a:1\nb\na:1\na:1 2 7\n'))
  _worker.serve_cases(make)
  assert [bench.about['case'] for bench in made] == ['a:1', 'b']
  assert made[0].calls[-2:] == [7, 7] and set(made[1].calls) == {1}
  *_, third, last = map(json.loads, capsys.readouterr().out.splitlines())
  assert third['about'] == {'case': 'a:1'} and third['first_call'] >= 0
  assert len(last['seconds']) == 2
