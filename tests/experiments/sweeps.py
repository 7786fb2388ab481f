"""Sweeps whose trainings are made up."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags as absl_flags

from experiments import provenance
from experiments.sweeps import places, plan, state
from experiments.sweeps.plan import Plan

BASE = ('--method=dann', '--source=moons/0', '--target=moons/40', '--backbone=mlp', '--seeds=2')
TERM = 100.0


def make(*words: str, name: str = 'digits') -> Plan:
  values = absl_flags.FlagValues()
  plan.define(values)
  return plan.make(name, [*BASE, *words], values)[0]


def finished(workdir: str, accuracy: float, score: float, commit: str = 'a') -> None:
  """Leaves what a finished run leaves: two evaluated steps of two seeds, the second better."""
  places.replace(f'{workdir}/metrics.jsonl', '')
  records = [
    {
      'step': step,
      'accuracy/target_test': [accuracy - 0.1 / step, accuracy],
      'accuracy/source_test': [0.5, 0.5],
      'validator/reverse_validation': [score * step / 2, score],
      'validator/snd': [-score, -score],
    }
    for step in (1, 2)
  ]
  places.replace(f'{workdir}/metrics.jsonl', ''.join(json.dumps(x) + '\n' for x in records))
  rules = ('last', 'source_accuracy', 'reverse_validation', 'snd', 'oracle')
  last = [accuracy - 0.05, accuracy]
  result = {'seeds': [0, 1], 'selected': dict.fromkeys(rules, last), 'config': {'commit': commit}}
  places.replace(f'{workdir}/result.json', json.dumps(result))


class Trained:
  """Trains at once, and remembers what; `fate` may prevent it."""

  def __init__(self, fate: Callable[[str], object] = lambda run: None) -> None:
    self.runs: list[str] = []
    self._fate = fate

  def __call__(self, name: str, words: Sequence[str]) -> None:
    workdir = words[-1].removeprefix('--workdir=')
    run = workdir.rpartition('/')[2]
    self.runs.append(run)
    self._fate(run)
    finished(workdir, 0.9, 0.5, provenance.commit() or 'unknown')


def states(folder: str) -> list[str]:
  return [run.state for run in state.look(plan.read(folder), folder)]


def planned(tmp_path: Path) -> str:
  """Returns the folder of a sweep of three runs at which nobody works yet."""
  plan.write(make('--budget=3'), str(tmp_path))
  return str(tmp_path)
