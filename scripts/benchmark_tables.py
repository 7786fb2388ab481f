"""Whole tables as few programs, to be timed: `scripts/benchmark.py tables` runs each.

A table is trained in a process of its own, `python -m scripts.benchmark_tables NAME FOLDER`, as
`scripts/reproduce.py` and `scripts/sweep.py --together` do it: command lines are read, data loaded
and hashed, programs compiled, results written below FOLDER. A line of JSON tells the seconds of all
that, and what it was made with.
"""

import dataclasses
import sys
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from experiments import amazon, digits, provenance, together
from experiments.common import Experiment
from scripts import _worker
from tlda import data
from tlda.errors import UserError
from tlda.training import parallel

Setting = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Table:
  """Runs that are trained together.

  Attributes:
    about: What they are, in a few words.
    experiment: Whose defaults they have.
    shared: Flags of all runs, `seeds` among them.
    runs: The flags of each: `method`, `source`, `target`, `learning_rate`, and `weight` but for
      `source_only`.
    hidden: The widths of the network's layers.
    samples: How many runs of a method PyTorch trains, for all others to be reckoned from.
  """

  about: str
  experiment: Experiment
  shared: Setting
  runs: tuple[Setting, ...]
  hidden: tuple[int, ...]
  samples: int

  @property
  def domains(self) -> list[str]:
    """The names of all domains."""
    return sorted({run[side] for run in self.runs for side in ('source', 'target')})

  def commands(self, folder: str) -> list[list[str]]:
    """Returns the command line of each run."""
    return [
      [
        self.experiment.name,
        *(f'--{name}={value}' for name, value in {**self.shared, **_flags(run)}.items()),
        f'--workdir={folder}/{number}',
      ]
      for number, run in enumerate(self.runs)
    ]


def _flags(run: Setting) -> dict[str, Any]:
  """Returns a run's flags by their names."""
  own = {name: value for name, value in run.items() if name != 'weight'}
  return own | ({f'{run["method"]}.weight': run['weight']} if 'weight' in run else {})


_WEIGHTS = {'dann': 1.0, 'deep_coral': 1.0, 'dan': 1.0, 'mdd': 0.1}
_PLAIN = {'log_every': 125, 'batch_size': 64, 'momentum': 0.9, 'seeds': 3, 'validators': 'none'}

TABLES = {
  'amazon': Table(
    about='the networks of `experiments.amazon`: 5 methods on the 12 pairs of reviews, 3 seeds',
    experiment=amazon.EXPERIMENT,
    shared=_PLAIN | {'steps': 250, 'eval_every': 250},
    runs=tuple(
      {'method': method, 'source': source, 'target': target, 'learning_rate': 0.1}
      | ({'weight': _WEIGHTS[method]} if method in _WEIGHTS else {})
      for method in ('source_only', *_WEIGHTS)
      for source, target in amazon.PAIRS
    ),
    hidden=(100,),
    samples=2,
  ),
  'moons': Table(
    about='a sweep of DANN on moons turned by 10 to 90 degrees: 9 targets, 5 weights, 3 rates, 3 '
    'seeds',
    experiment=digits.EXPERIMENT,
    shared=_PLAIN
    | {'backbone': 'mlp', 'steps': 500, 'eval_every': 500, 'protocol': 'custom/moons'},
    runs=tuple(
      {'method': 'dann', 'source': 'moons/0', 'target': f'moons/{angle}', 'weight': weight,
       'learning_rate': rate}
      for angle in range(10, 91, 10)
      for weight in (0.1, 0.2, 0.5, 1.0, 2.0)
      for rate in (0.03, 0.1, 0.3)
    ),
    hidden=(100,),
    samples=12,
  ),
}  # fmt: skip


def main() -> None:
  """Trains the table that the command line names."""
  name, folder = sys.argv[1:]
  jax.config.update('jax_enable_compilation_cache', False)  # Compiling is part of it.
  table = TABLES[name]
  start = time.perf_counter()
  found = together.launch(table.experiment, table.commands(folder))
  seconds = time.perf_counter() - start
  if failed := [each for each in found if isinstance(each, UserError)]:
    raise failed[0]
  accuracy = {}
  for run, result in zip(table.runs, found, strict=True):
    accuracy.setdefault(run['method'], []).append(np.mean(result['accuracy']['target_test']))
  about = {'device': parallel.describe(), 'versions': provenance.versions()}
  means = {method: float(np.mean(values)) for method, values in accuracy.items()}
  _worker.tell({'seconds': seconds, 'target_accuracy': means, **about})


def arrays(table: Table) -> dict[str, np.ndarray]:
  """Returns the data of a table by the names that PyTorch's side reads them by."""
  found = {}
  for name in table.domains:
    domain = data.load(name)
    for split in ('train', 'test'):
      examples = getattr(domain, split)
      found |= {
        f'{name}/{split}_inputs': examples.inputs,
        f'{name}/{split}_labels': examples.labels,
      }
  return found


if __name__ == '__main__':
  main()
