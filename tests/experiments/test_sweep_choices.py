"""What is chosen of a sweep: by rules that see no label of the target, one commit at a time."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.sweeps import choice, claims, places, plan, state, table
from tests.experiments.sweeps import TERM, finished, planned


@pytest.fixture
def folder(tmp_path: Path) -> str:
  return planned(tmp_path)


def test_runs_of_two_commits_are_shown_apart(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  for run, accuracy, commit in zip(runs, (0.7, 0.8, 0.9), 'aab', strict=True):
    finished(f'{folder}/runs/{run}', accuracy, score=accuracy, commit=commit)
  drawn = plan.read(folder)
  groups = choice.measure(state.look(drawn, folder))
  best = {key: choice.choose(group)['reverse_validation'].run.id for key, group in groups.items()}
  assert best == {('a',): runs[1], ('b',): runs[2]}
  said = places.read(table.write(drawn, folder))
  assert '2 commits' in said
  assert said.index('## Commit a') < said.index(f'**{runs[1]}**') < said.index('## Commit b')
  assert 'best of 2 by reverse_validation (commit a)' in table.status(drawn, folder)
  choices = json.loads(places.read(f'{folder}/sweep.json'))['choices']
  assert [(each['commits'], each['runs']) for each in choices] == [(['a'], 2), (['b'], 1)]


def test_a_run_that_two_commits_trained_is_of_neither(folder: str) -> None:
  run = next(iter(plan.read(folder).runs))
  for number, commit in enumerate('zabb'):  # Of the first nothing was left.
    claims.take(folder, run, number, TERM)
    path = f'{folder}/claims/{run}.{number}.json'
    places.replace(path, json.dumps({**json.loads(places.read(path)), 'commit': commit}))
  finished(f'{folder}/runs/{run}', 0.9, 0.5, commit='a')
  assert state.look(plan.read(folder), folder)[0].commits == ('a', 'b')
  assert '## Commit a then b' in places.read(table.write(plan.read(folder), folder))


def test_the_winner_is_chosen_without_labels_of_the_target(folder: str) -> None:
  runs, rng = list(plan.read(folder).runs), np.random.default_rng(0)
  for run, accuracy, score in zip(runs, (0.9, 0.6, 0.8), (0.3, 0.7, 0.5), strict=True):
    finished(f'{folder}/runs/{run}', accuracy, score)
  chosen = lambda: {
    rule: each.run.id
    for group in choice.measure(state.look(plan.read(folder), folder)).values()
    for rule, each in choice.choose(group).items()
  }
  expected = {'reverse_validation': runs[1], 'snd': runs[0], 'source_accuracy': runs[0]}
  assert chosen() == {**expected, 'oracle': runs[0]}
  assert list(chosen())[-1] == 'oracle'
  oracles = set()
  for _ in range(5):
    for run, score in zip(runs, (0.3, 0.7, 0.5), strict=True):
      finished(f'{folder}/runs/{run}', rng.uniform(0.2, 1), score)
    found = chosen()
    oracles.add(found.pop('oracle'))
    assert found == expected
  assert len(oracles) > 1


def test_the_table_says_what_was_measured(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  finished(f'{folder}/runs/{runs[0]}', 0.9, 0.5)
  said = places.read(table.write(plan.read(folder), folder))
  weight = plan.read(folder).runs[runs[0]]['dann.weight']
  # 85 and 90 per cent; the seeds' best scores are 0.5 each.
  row = f'| **{runs[0]}** | {weight} | 0.5000 | 87.50 ± 3.54 | 87.50 ± 3.54 | 87.50 ± 3.54 |'
  assert row in said
  assert f'| oracle | {runs[0]} | {weight} | 87.50 ± 3.54 |' in said
  assert '1 done, 0 running, 0 failed, 0 stale, 2 waiting' in said
