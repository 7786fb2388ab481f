import sys
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from scripts import _benchmark_transfer, _workers, benchmark_transfer
from scripts.benchmark_transfer import TransferBench

# A process that answers without a clock: a strategy is slower the longer its name.
ANSWERS = """
import sys
from scripts import _worker
for line in sys.stdin:
  name, *size = line.split()
  about = {
    'device': {'kind': 'cpu', 'platform': 'PLATFORM'}, 'versions': {'jax': '1.2'},
    'weights': 'drawn', 'parameters': 3000, 'moving': 1000 * len(name) // 3,
    'flops': 1e9 * len(name), 'optimizer_bytes': 2**20, 'program_bytes': 2**22,
    'compile_seconds': 2.6,
  }
  seconds = [0.1 * len(name)] * 3
  told = {'seconds': seconds, 'cpu_seconds': seconds, 'host_seconds': None, 'peak_bytes': PEAK}
  first = {'first_call': 1.5, 'growth_bytes': 2**21, 'about': about}
  _worker.tell(told if size else first)
"""


@pytest.mark.parametrize(
  ('platform', 'peak', 'measured', 'said'),
  [('cpu', None, '2.0', 'resident memory'), ('gpu', 2**23, '8.0', 'allocator')],
)
def test_strategies_are_compared_with_fine_tune(
  platform: str, peak: int | None, measured: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  answers = ANSWERS.replace('PLATFORM', platform).replace('PEAK', str(peak))
  process = lambda name, command: _workers.Process(name, (sys.executable, '-c', answers))
  monkeypatch.setattr(_benchmark_transfer, 'Process', process)
  monkeypatch.setattr(_benchmark_transfer, 'STRATEGIES', ('fine_tune', 'lora'))
  result = _benchmark_transfer.measure(None, 2, 0.3)
  about: dict[str, Any] = {'command': 'x', 'commit': 'y', 'cores': 2, 'load': 0.5, 'rounds': 2}
  drawn = _benchmark_transfer.markdown(result | about | {'seconds_in_a_round': 0.3})
  assert [line for line in drawn.splitlines() if line.startswith('| ')][1:] == [
    '| fine_tune | 3,000 of 3,000 | 17.8 | 17.8 | 1.00 | 1.00, 1.00 | 9.00 | 1.00 | 1.0 | 4.0 '
    f'| {measured} | 3 |',
    '| lora | 1,333 of 3,000 | 40.0 | 40.0 | 0.44 | 0.44, 0.44 | 4.00 | 0.44 | 1.0 | 4.0 '
    f'| {measured} | 3 |',
  ]
  assert said in drawn and '16 images of 96x96x3, drawn weights.' in drawn and '- jax 1.2' in drawn


def test_the_step_of_a_strategy_runs_and_says_its_costs() -> None:
  whole, probe = (
    TransferBench(name, backbone='lenet_bn', side=28, batch_size=4)
    for name in ('fine_tune', 'linear_probe')
  )
  before = jax.tree.map(jnp.array, probe._state.params)  # The step takes over the memory.
  probe.run(2)
  assert probe.host_seconds() is None
  about = probe.about
  head = 500 * 10 + 10
  assert about['moving'] == head and whole.about['moving'] == about['parameters'] > head
  assert about['optimizer_bytes'] == 4 * head and about['weights'] == 'drawn'
  assert 4 * about['parameters'] < about['program_bytes'] < whole.about['program_bytes']
  # Behind the forward pass the probe computes only the gradient of the head.
  assert 0 < about['flops'] < 0.5 * whole.about['flops']
  after = probe._state.params
  assert not jnp.array_equal(before['head']['logits']['kernel'], after['head']['logits']['kernel'])


def test_the_costs_of_a_program() -> None:
  product = jax.jit(lambda x, y: x @ y)
  costs = benchmark_transfer.costs(product.lower(jnp.ones((8, 16)), jnp.ones((16, 4))).compile())
  assert costs['flops'] == 2 * 8 * 16 * 4
  assert costs['program_bytes'] == 4 * (8 * 16 + 16 * 4 + 8 * 4)


def test_memory_that_a_result_takes_over_counts_once() -> None:
  grown = jax.jit(lambda x: x + 1, donate_argnums=0).lower(jnp.ones(256)).compile()
  assert benchmark_transfer.costs(grown)['program_bytes'] == 4 * 256
