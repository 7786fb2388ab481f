"""The training step of each method, to be timed: `scripts/benchmark.py methods` runs them.

One process has all methods (`python -m scripts.benchmark_methods`); a case is a method, `mcd`, or a
method on a certain network, `source_only:lenet_bn`.
"""

import jax

from scripts import _worker
from scripts.benchmark_step import Case, StepBench
from tlda.errors import UserError

EXAMPLES = 2_000


def make(case: str) -> StepBench:
  """Returns the step of a case on random digits; without a network it takes the first that fits.

  Raises:
    UserError: The method cannot work on it.
  """
  method, _, backbone = case.partition(':')
  bench = lambda name: StepBench(Case(case, backbone=name, method=method, examples=EXAMPLES))
  try:
    return bench(backbone or 'lenet')
  except UserError:
    if backbone:
      raise
    return bench('lenet_bn')  # It adapts batch normalisation, which the other has not.


if __name__ == '__main__':
  jax.config.update('jax_enable_compilation_cache', False)  # The first call is to compile.
  _worker.serve_cases(make)
