import sys
from typing import Any

import pytest

from scripts import _benchmark_methods, _workers, benchmark_step
from scripts.benchmark_methods import make
from tlda import methods
from tlda.errors import UserError

# A process that answers without a clock: a method is slower the longer its name.
ANSWERS = """
import sys
from scripts import _worker
for line in sys.stdin:
  case, *size = line.split()
  method, _, backbone = case.partition(':')
  backbone = backbone or ('lenet_bn' if method == 'dsbn' else 'lenet')
  about = {'device': {'kind': 'cpu'}, 'versions': {'jax': '1.2'}, 'parameters': 7}
  seconds = [0.01 * len(method)] * 3
  told = {'seconds': seconds, 'cpu_seconds': seconds, 'host_seconds': None, 'peak_bytes': None}
  first = {'first_call': 1.5, 'growth_bytes': 0, 'about': about | {'backbone': backbone}}
  _worker.tell(told if size else first)
"""


def test_methods_are_compared_with_source_only_on_their_network(
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  asked = {'methods': (sys.executable, '-c', ANSWERS)}
  process = lambda name, command: _workers.Process(name, asked[name])
  monkeypatch.setattr(_benchmark_methods, 'Process', process)
  monkeypatch.setattr(methods, 'names', lambda setting: ['dsbn', 'mdd', 'source_only'])
  result = _benchmark_methods.measure(None, 2, 0.3)
  about: dict[str, Any] = {'command': 'x', 'commit': 'y', 'cores': 2, 'load': 0.5, 'rounds': 2}
  lines = _benchmark_methods.markdown(result | about | {'seconds_in_a_round': 0.3}).splitlines()
  assert [line for line in lines if line.startswith('| ')][1:] == [
    '| mdd | lenet | 30.0 | 30.0 | 0.27 | 0.27, 0.27 | 0.27 | 1.5 |',
    '| dsbn | lenet_bn | 40.0 | 40.0 | 0.36 | 0.36, 0.36 | 0.36 | 1.5 |',
    '| source_only | lenet | 110.0 | 110.0 | 1.00 | 1.00, 1.00 | 1.00 | 1.5 |',
  ]
  assert '- jax 1.2' in lines


@pytest.mark.parametrize(
  ('method', 'backbone'), [('dan', 'lenet'), ('adabn', 'lenet_bn'), ('dsbn', 'lenet_bn')]
)
def test_a_method_gets_the_network_that_fits(
  method: str, backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr('scripts.benchmark_methods.StepBench', _Chosen)
  assert make(method).chosen == backbone


class _Chosen:
  """Builds the method, and nothing that takes time."""

  def __init__(self, case: Any) -> None:
    spec = methods.Spec(
      10,
      (28, 28, 1),
      (methods.DomainSpec('left', 100, tuple(range(10))),),
      methods.DomainSpec('right', 100, tuple(range(10))),
    )
    benchmark_step.make_method(methods.get(case.method), case, spec)
    self.chosen = case.backbone


def test_a_network_that_does_not_fit_is_said() -> None:
  with pytest.raises(UserError, match='batch normalisation'):
    make('adabn:lenet')


def test_the_step_of_a_method_runs() -> None:
  bench = make('target_only')
  bench.run(1)
  assert bench.about['backbone'] == 'lenet' and bench.about['parameters'] > 0
