import numpy as np
import pytest

from tlda.evaluation import select, selection, validators


def _record(step: int, source: float | list[float], target: float | list[float]) -> dict:
  return {'step': step, 'accuracy/source_test': source, 'accuracy/target_test': target}


def test_each_seed_chooses_for_itself() -> None:
  records = [
    _record(10, [0.9, 0.5], [0.30, 0.60]),
    _record(20, [0.8, 0.7], [0.50, 0.40]),
    _record(30, [0.7, 0.6], [0.20, 0.55]),
  ]
  assert select(records) == {
    'last': [0.20, 0.55],
    'source_accuracy': [0.30, 0.40],
    'oracle': [0.50, 0.60],
  }


def test_of_equal_source_accuracies_the_latest_counts() -> None:
  records = [_record(10, [0.9], [0.1]), _record(20, [0.9], [0.2]), _record(30, [0.8], [0.3])]
  assert select(records)['source_accuracy'] == [0.2]


def test_a_single_seed_may_be_a_number() -> None:
  assert select([_record(10, 0.9, 0.4)]) == {
    'last': [0.4],
    'source_accuracy': [0.4],
    'oracle': [0.4],
  }


def test_steps_that_were_not_evaluated_are_passed_over() -> None:
  records = [{'step': 5, 'loss/task': 1.0}, _record(10, [0.9], [0.4]), {'step': 15}]
  assert select(records)['last'] == [0.4]


def test_without_a_source_nothing_is_chosen_by_it() -> None:
  records = [{'step': step, 'accuracy/target_test': [x]} for step, x in ((10, 0.6), (20, 0.4))]
  assert select(records) == {'last': [0.4], 'oracle': [0.6]}


def test_a_run_without_evaluation_is_an_error() -> None:
  with pytest.raises(ValueError, match='accuracy/target_test'):
    select([{'step': 5, 'loss/task': 1.0}])


def _scored() -> list[dict]:
  """Four steps of two seeds, every score of which has its best at a step of its own."""
  random = np.random.default_rng(0)
  keys = (*selection.SCORES.values(), selection.TARGET)
  return [{'step': step} | {key: random.random(2).tolist() for key in keys} for step in range(4)]


@pytest.mark.parametrize('rule', selection.rules())
def test_target_accuracy_changes_no_choice(rule: str) -> None:
  steps = []
  for seed in (1, 2):
    noise = np.random.default_rng(seed).permutation(8).reshape(4, 2)
    records = [
      r | {selection.TARGET: row.tolist()} for r, row in zip(_scored(), noise, strict=True)
    ]
    chosen = select(records)[rule]
    steps.append([noise[:, place].tolist().index(x) for place, x in enumerate(chosen)])
  assert steps[0] == steps[1]
  if rule != selection.LAST:
    table = np.array([record[selection.SCORES[rule]] for record in _scored()])
    assert steps[0] == table.argmax(axis=0).tolist()


def test_every_validator_is_a_rule_and_the_oracle_is_none() -> None:
  assert set(selection.rules()) == {'last', 'source_accuracy', *validators.names()}
  assert select(_scored()).keys() == {*selection.rules(), 'oracle'}
  assert 'snd' not in select(_scored(), exclude=['snd'])
  assert 'snd' not in select([*_scored(), _record(5, [0.1, 0.2], [0.3, 0.4])])


def test_rank_correlation_by_hand() -> None:
  # Ranks of the first seed: 1 2 3 against 1 3 2, so 1 - 6 (0 + 1 + 1) / (3 (9 - 1)) = 1/2; of the
  # second 1.5 1.5 3 against 3 2 1, so -1.5 / sqrt(1.5 * 2); of the third none.
  source = [[0.1, 0.5, 0.7], [0.2, 0.5, 0.7], [0.9, 0.8, 0.7]]
  target = [[0.1, 0.3, 0.1], [0.8, 0.2, 0.2], [0.4, 0.1, 0.3]]
  records = [_record(step, *pair) for step, pair in enumerate(zip(source, target, strict=True))]
  (found,) = selection.rank_correlation(records).values()
  assert found == [0.5, pytest.approx(-1.5 / 3**0.5, abs=1e-6), None]
  assert selection.rank_correlation(records, exclude=['source_accuracy']) == {}
