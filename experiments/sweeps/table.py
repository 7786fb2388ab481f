"""The result of a sweep: `sweep.json`, and the `sweep.md` drawn from the same."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.common import spread
from experiments.sweeps import choice, places, state
from experiments.sweeps.choice import Measured
from experiments.sweeps.plan import Plan
from experiments.sweeps.state import Run
from tlda.evaluation.selection import LAST, ORACLE

Groups = Mapping[tuple[str, ...], Sequence[Measured]]


def write(plan: Plan, folder: str) -> str:
  """Writes the result of a sweep into its folder; returns the path of the Markdown."""
  runs = state.look(plan, folder)
  groups = choice.measure(runs)
  places.replace(f'{folder}/sweep.json', json.dumps(_result(plan, runs, groups), indent=2) + '\n')
  places.replace(f'{folder}/sweep.md', markdown(plan, runs, groups))
  return f'{folder}/sweep.md'


def status(plan: Plan, folder: str) -> str:
  """Returns the state of each run, how many are in which, and the best so far."""
  runs = state.look(plan, folder)
  lines = [state.table(runs), '', f'{folder}: {state.counts(runs)}']
  lines += [f'{run.id} failed: {run.error}' for run in runs if run.state == state.FAILED]
  groups = choice.measure(runs)
  if len(groups) > 1:
    lines.append(f'the runs are of {len(groups)} commits, which are not compared:')
  for commits, group in groups.items():
    best = choice.choose(group).get(plan.select)
    found = f'{best.run.id}, {_said(best, plan.select)}, {_words(best)}' if best else 'none'
    lines.append(f'best of {len(group)} by {plan.select} (commit {_named(commits)}): {found}')
  return '\n'.join(lines)


def markdown(plan: Plan, runs: Sequence[Run], groups: Groups) -> str:
  """Returns the result as text: for each commit its runs, and what each rule chooses of them."""
  of = {name: plan.settings[name] for name in ('method', 'source', 'target', 'seeds', 'steps')}
  drawn = ', '.join(f'`{name}={text}`' for name, text in plan.ranges.items())
  parts = [
    f'# Sweep of {of["method"]}, {of["source"] or of["target"]} → {of["target"]}',
    f'{plan.budget} drawings (sweep seed {plan.sweep_seed}) from {drawn}; '
    f'`--seeds={of["seeds"]} --steps={of["steps"]}`; {state.counts(list(runs))}. '
    f'Chosen by `{plan.select}`, without labels of the target: accuracy in percent on the target '
    'test examples, mean ± sample standard deviation over seeds, at the steps that the rule '
    'chooses, at the last step, and at the best step for the target, which only labels could tell.',
  ]
  if len(groups) > 1:
    parts.append(f'The runs are of {len(groups)} commits, and are not compared across them.')
  for commits, group in groups.items():
    parts += [f'## Commit {_named(commits)}', *_tables(plan.select, group)]
  if failed := [run for run in runs if run.state == state.FAILED]:
    parts += ['## Failed', '\n'.join(f'- `{run.id}`: {run.error}' for run in failed)]
  return '\n\n'.join(parts) + '\n'


def _tables(rule: str, group: Sequence[Measured]) -> list[str]:
  """Returns the runs of one commit, best first by a rule, and what every rule chooses."""
  chosen = choice.choose(group)
  score = lambda each: np.mean(each.scores.get(rule, -np.inf))
  rows = [
    [
      f'**{each.run.id}**' if each is chosen.get(rule) else each.run.id,
      *map(str, each.run.drawn.values()),
      f'{score(each):.4f}',
      *(_accuracy(each, name) for name in (rule, LAST, ORACLE)),
    ]
    for each in sorted(group, key=score, reverse=True)
  ]
  drawn = list(group[0].run.drawn)
  choices = [
    [name, each.run.id, *map(str, each.run.drawn.values()), _accuracy(each, name)]
    for name, each in chosen.items()
  ]
  return [
    _table(['run', *drawn, rule, 'target test', 'last step', 'oracle'], rows, len(drawn)),
    _table(['chosen by', 'run', *drawn, 'target test'], choices, len(drawn) + 1),
  ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
  """Returns a Markdown table, whose columns after the first and `words` more are numbers."""
  marks = ['---' if place <= words else '--:' for place in range(len(head))]
  return '\n'.join(f'| {" | ".join(row)} |' for row in (head, marks, *rows))


def _result(plan: Plan, runs: Sequence[Run], groups: Groups) -> dict[str, Any]:
  measured = {each.run.id: each for group in groups.values() for each in group}
  rows = []
  for run in runs:
    row = {'id': run.id, 'drawn': dict(run.drawn), 'state': run.state}
    if each := measured.get(run.id):
      own = {'scores': dict(each.scores), 'accuracy': dict(each.accuracy)}
      row |= {'commits': run.commits, 'seeds': run.result['seeds'], **own}
    rows.append(row)
  choices = [
    {
      'commits': commits,
      'runs': len(group),
      'chosen': {rule: each.run.id for rule, each in choice.choose(group).items()},
    }
    for commits, group in groups.items()
  ]
  about = {'experiment': plan.experiment, 'budget': plan.budget, 'sweep_seed': plan.sweep_seed}
  said = {'select': plan.select, 'ranges': plan.ranges, 'settings': plan.settings}
  return {**about, **said, 'runs': rows, 'choices': choices}


def _accuracy(each: Measured, rule: str) -> str:
  return spread(each.accuracy[rule]).removesuffix(' %') if rule in each.accuracy else '–'


def _said(each: Measured, rule: str) -> str:
  return f'target test accuracy {spread(each.accuracy[rule])}'


def _words(each: Measured) -> str:
  return ' '.join(f'--{name}={value}' for name, value in each.run.drawn.items())


def _named(commits: Sequence[str]) -> str:
  """Returns commits as people read them: twelve digits of each."""
  return ' then '.join(f'{each[:12]}{"+" * each.endswith("+")}' for each in commits)
