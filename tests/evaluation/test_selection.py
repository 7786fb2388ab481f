import pytest

from tlda.evaluation import select


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
