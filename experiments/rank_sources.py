"""Which source model? Ranks trained networks for a target before any of them is fine-tuned.

  python -m experiments.rank_sources --target=sklearn_digits --runs=runs/a,runs/b,runs/c
  python -m experiments.rank_sources ... --steps=300      fine-tunes each, and compares the ranks

Each run's network looks at the labelled training examples of the target; each score (LogME, LEEP,
NCE, H-score, TransRate, k-NN) says how well its features, or the predictions of its own head, fit
the labels. With `--steps`, each network is then fine-tuned, and Kendall's tau (weighted, Vigna
2015) says how well the order by a score agrees with that by accuracy. Writes `--out=FILE.json`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.stats import weightedtau

from experiments import command, common, fine_tune, outputs, problem, saved
from tlda import data
from tlda.errors import UserError
from tlda.evaluation import transferability

# Examples in one call.
ROWS = 256
SETTINGS = {
  'target': ('sklearn_digits', 'The domain to find a source model for.'),
  'runs': (None, 'Folders of finished runs, with commas.'),
  'labels_per_class': (0, 'Labelled examples of each class of the target; 0 takes all.'),
  'steps': (0, 'Steps of fine-tuning; 0 fine-tunes nothing.'),
  'learning_rate': (0.01, 'Of the fine-tuning.'),
  'seeds': ('3', 'Seeds of the fine-tuning: a count or a list.'),
  'out': (None, 'A JSON file to write.'),
  'data_dir': (None, 'Folder of raw and prepared data (default: TLDA_DATA_DIR).'),
}


def main(argv: Sequence[str]) -> int:
  """Runs the command line; returns its exit code."""
  return common.guarded(lambda: rank(argv))


def rank(argv: Sequence[str]) -> None:
  """Prints a line for each run: its scores, and its accuracy where it was fine-tuned.

  Args:
    argv: The command line, program name first.

  Raises:
    UserError: A run or a domain is not there, or cannot be scored.
  """
  given = command.parse(__doc__, argv, SETTINGS)
  if given is None:
    return
  parsed, _ = given
  if not parsed['runs']:
    raise UserError('say which runs to rank: --runs=DIR,DIR,...')
  _check(parsed)
  folders = parsed['runs'].split(',')
  runs = [saved.load(folder, '--runs') for folder in folders]
  rows = [{'run': place, **_scores(run, parsed)} for place, run in zip(folders, runs, strict=True)]
  if parsed['steps']:
    for row, run in zip(rows, runs, strict=True):
      row['accuracy'] = _fine_tuned(row['run'], run, parsed)
  result = {'target': parsed['target'], 'rows': rows, 'agreement': _agreement(rows)}
  print(_table(rows, result['agreement']))
  if parsed['out']:
    outputs.write(Path(parsed['out']), result, '--out')


def _check(parsed: dict[str, Any]) -> None:
  """Refuses, before anything is scored, what could not be done afterwards."""
  for name in ('labels_per_class', 'steps'):
    if parsed[name] < 0:
      raise UserError(f'--{name} must be 0 or above, not {parsed[name]}')
  if not parsed['learning_rate'] > 0:
    raise UserError(f'--learning_rate must be above 0, not {parsed["learning_rate"]}')
  common.parse_seeds(parsed['seeds'])
  if parsed['out']:
    outputs.own(Path(parsed['out']), '--out', {'target', 'rows', 'agreement'})


def _scores(run: saved.Saved, parsed: dict[str, Any]) -> dict[str, float]:
  """Returns every score of a run's first network on the target's labelled examples."""
  target = problem.seen_by(run, parsed['target'], parsed['data_dir'])
  train = target.train
  if parsed['labels_per_class']:
    train = data.draw(train, parsed['labels_per_class'], len(target.classes))
  starts = range(0, len(train), ROWS)
  seen = [run.outputs(train.fetch(np.arange(s, min(s + ROWS, len(train)))))[0] for s in starts]
  features = np.concatenate([each.features for each in seen])
  probabilities = np.concatenate([jax.nn.softmax(each.logits) for each in seen])
  return transferability.measure(train.labels, features, probabilities)


def _fine_tuned(folder: str, run: saved.Saved, parsed: dict[str, Any]) -> float:
  """Returns the mean accuracy on the target's test after fine-tuning from a run's weights."""
  words = [f'--target={parsed["target"]}', f'--weights={folder}', '--report=false']
  words += [f'--{name}={run.flags[name]}' for name in ('backbone', 'bottleneck', 'image_size')]
  words += [f'--{name}={parsed[name]}' for name in ('steps', 'labels_per_class', 'seeds')]
  words += [f'--learning_rate={parsed["learning_rate"]}']
  words += [f'--data_dir={parsed["data_dir"]}'] if parsed['data_dir'] else []
  named = ('target', 'steps', 'learning_rate', 'labels_per_class', 'seeds')
  name = '-'.join(str(parsed[flag]) for flag in named)
  words += [f'--workdir={folder}/fine_tuned-{name.replace("/", "_")}']
  result = common.launch(fine_tune.EXPERIMENT, ['fine_tune', *words])
  return float(np.mean(result['accuracy']['target_test']))


def _agreement(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
  """Returns for each score its weighted rank correlation with the accuracy; {} without any."""
  if len(rows) < 2 or 'accuracy' not in rows[0]:
    return {}
  accuracy = [row['accuracy'] for row in rows]
  names = [name for name in rows[0] if name not in ('run', 'accuracy')]
  return {name: float(weightedtau([row[name] for row in rows], accuracy)[0]) for name in names}


def _table(rows: Sequence[dict[str, Any]], agreement: dict[str, float]) -> str:
  names = list(rows[0])
  lines = [names, *([_said(row[name]) for name in names] for row in rows)]
  if agreement:
    lines.append(['agreement', *(_said(agreement.get(name, '')) for name in names[1:])])
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  return '\n'.join(
    '  '.join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
    for line in lines
  )


def _said(value: object) -> str:
  return f'{value:.4f}' if isinstance(value, float) else str(value)


if __name__ == '__main__':
  sys.exit(main(sys.argv))
