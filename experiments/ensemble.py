"""Ensembles: what finished runs, with all their seeds, say together; and the mean of their weights.

  python -m experiments.ensemble --runs=runs/a,runs/b
  python -m experiments.ensemble --runs=runs/a,runs/b --soup

Members are all seeds of all runs, of any backbone and method, that tell the same classes of one
target; they are tested on its test examples. `--soup` averages weights instead, run by run and seed
by seed, which needs runs of one start (the same backbone, first weights and seeds; learning rates,
steps and augmentation may differ): uniformly, and greedily by the accuracy on training examples
whose labels no run has read (few-label runs leave some). Prints a table, and writes it to
`ensemble.json` in the workdir.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import command, outputs, problem, saved, soups
from experiments.common import guarded, spread
from tlda.data import Domain
from tlda.errors import UserError
from tlda.evaluation import ensembles
from tlda.evaluation.calibration import expected_calibration_error

SETTINGS = {
  'runs': ('', 'Folders of finished runs, with commas.'),
  'combine': ('probabilities', f'What is averaged: {" or ".join(ensembles.COMBINATIONS)}.'),
  'soup': (False, 'Average weights too.'),
  'workdir': ('runs/ensemble', 'Folder of ensemble.json.'),
  'data_dir': (None, 'Folder of raw and prepared data (default: TLDA_DATA_DIR).'),
}


def ensemble(argv: Sequence[str]) -> dict[str, Any] | None:
  """Measures an ensemble, prints a table and writes the file.

  Args:
    argv: The command line, program name first.

  Returns:
    What `ensemble.json` holds; None after `--help`.

  Raises:
    UserError: No runs, or runs that do not belong together.
  """
  given = command.parse(__doc__, argv, SETTINGS)
  if given is None:
    return None
  parsed, _ = given
  names = [name for name in parsed['runs'].split(',') if name]
  if not names:
    raise UserError('say which runs are the members: --runs=DIR1,DIR2')
  how, path = parsed['combine'], Path(parsed['workdir']) / 'ensemble.json'
  _refuse_others(path, names)
  runs = [saved.load(name, '--runs') for name in names]
  targets = [problem.seen_by(run, run.flags['target'], parsed['data_dir']) for run in runs]
  _check(names, runs, targets)
  if parsed['soup']:
    soups.check(names, runs)
  found = {'target': targets[0].name, 'combine': how, **_measure(names, runs, targets, how)}
  if parsed['soup']:
    found['soup'] = soups.cook(names, runs, targets[0])
  print(table(found))
  outputs.write(path, found, '--workdir')
  return found


def _refuse_others(path: Path, names: Sequence[str]) -> None:
  """Refuses a folder that holds the ensemble of other runs."""
  found = outputs.own(path, '--workdir', {'members', 'ensemble'})
  there = list(dict.fromkeys(each['run'] for each in found['members'])) if found else names
  if there != list(dict.fromkeys(names)):
    raise UserError(
      f'{path} is the ensemble of other runs ({",".join(there)}): give another --workdir'
    )


def _check(names: Sequence[str], runs: Sequence[saved.Saved], targets: Sequence[Domain]) -> None:
  """Refuses runs that tell other classes, or other examples, than the first."""
  for name, run, target in zip(names, runs, targets, strict=True):
    if run.classes != runs[0].classes:
      raise UserError(f'{name} tells other classes than {names[0]}: they make no ensemble')
    if target.name != targets[0].name or not np.array_equal(
      target.test.labels, targets[0].test.labels
    ):
      raise UserError(
        f'{name} is for {target.name}, and {names[0]} for {targets[0].name}: they make no ensemble'
      )


def _measure(
  names: Sequence[str], runs: Sequence[saved.Saved], targets: Sequence[Domain], how: str
) -> dict[str, Any]:
  """Returns the accuracy of each member and of all together, and how often two disagree."""
  tested = [soups.logits(run, target.test) for run, target in zip(runs, targets, strict=True)]
  logits, labels = np.concatenate(tested), targets[0].test.labels
  alone, together = ensembles.accuracies(logits, labels), ensembles.combine(logits, how)
  errors = [expected_calibration_error(ensembles.combine(x[None]), labels) for x in logits]
  apart = ensembles.disagreement(logits)[np.triu_indices(len(logits), 1)]
  who = [(name, seed) for name, run in zip(names, runs, strict=True) for seed in run.seeds]
  return {
    'examples': len(labels),
    'members': [
      {'run': name, 'seed': seed, 'accuracy': float(share), 'calibration_error': float(error)}
      for (name, seed), share, error in zip(who, alone, errors, strict=True)
    ],
    'ensemble': {
      'accuracy': float((together.argmax(axis=1) == labels).mean()),
      'calibration_error': float(expected_calibration_error(together, labels)),
    },
    'disagreement': float(apart.mean()) if len(apart) else 0.0,
  }


def table(found: dict[str, Any]) -> str:
  """Returns what was measured, a line for each member, then for what they make together."""
  members = found['members']
  lines = [
    (f'{each["run"]} seed {each["seed"]}', f'{100 * each["accuracy"]:.2f} %') for each in members
  ]
  lines.append(('mean of members', spread([each['accuracy'] for each in members])))
  lines.append(
    (f'ensemble (mean of {found["combine"]})', f'{100 * found["ensemble"]["accuracy"]:.2f} %')
  )
  soup = found.get('soup', {})
  for kind in ('uniform', 'greedy'):
    if kind in soup:
      lines.append((f'{kind} soup', spread(soup[kind])))
  width = max(len(name) for name, _ in lines)
  title = f'{found["target"]}, {found["examples"]} test examples'
  shown = [f'{name.ljust(width)}  {value}' for name, value in lines]
  shown.append(f'two members disagree on {100 * found["disagreement"]:.2f} % of the examples')
  if soup and 'greedy' not in soup:
    shown.append('no greedy soup: no training examples are left whose labels no run has read')
  return '\n'.join([title, *shown])


if __name__ == '__main__':
  sys.exit(guarded(lambda: ensemble(sys.argv)))
