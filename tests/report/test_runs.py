import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.report.fake_run import write_run
from tlda.errors import UserError
from tlda.report import runs


def test_series_hold_one_column_a_seed(tmp_path: Path) -> None:
  (run,) = runs.read([write_run(tmp_path / 'a', seeds=2)])
  steps, values = run.series('accuracy/target_test')
  assert steps.tolist() == list(range(100, 8601, 500))
  assert values.shape == (len(steps), 2)
  assert run.series('examples_per_second')[1].shape == (86, 1)
  assert run.keys('loss/') == ['loss/task', 'loss/domain']


def test_runs_are_told_apart_by_method_else_by_folder(tmp_path: Path) -> None:
  folders = [write_run(tmp_path / name) for name in 'ab']
  folders.append(write_run(tmp_path / 'c', method='source_only'))
  labels = [run.label for run in runs.read(folders)]
  assert labels == [f'dann ({folders[0]})', f'dann ({folders[1]})', 'source_only']


def test_a_class_without_a_name_is_its_number(tmp_path: Path) -> None:
  (run,) = runs.read([write_run(tmp_path / 'a', class_names=['cat', 'dog'])])
  assert [run.class_name(label) for label in (0, 1, 2, -1)] == ['cat', 'dog', '2', '-1']


@pytest.mark.parametrize(
  ('key', 'value'),
  [('source', ['svhn']), ('target', 'usps'), ('protocol', 'full USPS')],
)
def test_runs_that_do_not_belong_together(tmp_path: Path, key: str, value: object) -> None:
  folders = [write_run(tmp_path / 'a'), write_run(tmp_path / 'b', **{key: value})]
  with pytest.raises(UserError, match=f'b cannot be compared with .*: its {key} is'):
    runs.read(folders)


def test_no_run_is_a_mistake() -> None:
  with pytest.raises(UserError, match='at least one'):
    runs.read([])


_FILES = ['config.json', 'metrics.jsonl', 'result.json', 'report/samples.npz']


@pytest.mark.parametrize('name', _FILES)
def test_a_missing_file_is_one_sentence(tmp_path: Path, name: str) -> None:
  folder = write_run(tmp_path / 'a')
  (folder / name).unlink()
  with pytest.raises(UserError, match=f'{name} cannot be read .*: is the run finished') as caught:
    runs.read([folder])
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', _FILES)
@pytest.mark.parametrize('damage', [lambda x: x[: len(x) // 2], lambda x: b'\xff\xfe' + x])
def test_a_damaged_file_is_one_sentence(
  tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
  folder = write_run(tmp_path / 'a')
  (folder / name).write_bytes(damage((folder / name).read_bytes()))
  with pytest.raises(UserError, match=f'{name} is broken'):
    runs.read([folder])


@pytest.mark.parametrize(
  ('changes', 'complaint'),
  [
    ({'steps': None}, "'steps' is missing, or is no int"),
    ({'accuracy': {'source_test': [0.9] * 3}}, "no number in 'target_test' for each of 3 seeds"),
    ({'selected': {'entropy': [0.5]}}, "the selection 'entropy' has no number"),
    ({'selected': [0.5]}, "'selected' is no object"),
    ({'rank_correlation': {'snd': [0.5]}}, "the rank correlation of 'snd' does not fit 3 seeds"),
    ({'class_names': [1, 2]}, 'class_names is no list of names'),
    ({'confusion_matrix': {'target_test': [[[1, 2]]]}}, 'does not fit 10 classes'),
    ({'worst_source': {'name': ['a'], 'accuracy': [0.5] * 3}}, 'the worst source does not fit 3'),
    ({'worst_source': {'name': ['a'] * 3}}, 'the worst source does not fit 3 seeds'),
    ({'confusion_matrix': {'target_test': 7}}, 'the confusion matrices are no list'),
    ({'published': {'value': 0.7}}, 'lacks its value or its reference'),
    ({'trained_together': 9}, 'was trained together with others, and has numbers only'),
  ],
)
def test_a_result_that_does_not_fit(tmp_path: Path, changes: dict, complaint: str) -> None:
  folder = write_run(tmp_path / 'a', **changes)
  with pytest.raises(UserError, match=complaint):
    runs.read([folder])


@pytest.mark.parametrize(
  ('line', 'complaint'),
  [
    ('{"loss/task": 1}', 'line 1 has no step'),
    ('{"step": 1, "loss/task": [1, 2]}', "each of 3 seeds in 'loss/task'"),
    ('[]', 'no JSON object'),
  ],
)
def test_records_that_do_not_fit(tmp_path: Path, line: str, complaint: str) -> None:
  folder = write_run(tmp_path / 'a')
  (folder / 'metrics.jsonl').write_text(line)
  with pytest.raises(UserError, match=complaint):
    runs.read([folder])


@pytest.mark.parametrize(
  ('name', 'value', 'complaint'),
  [
    ('source_labels', np.zeros((2, 2)), 'no source_labels'),
    ('features_after_target', np.zeros((3, 4)), 'features_after_target do not fit'),
    ('features_before_source', np.full((24, 4), np.nan), 'features_before_source do not fit'),
    ('target_images', np.zeros((4, 8, 8, 3)), 'target_images are not uint8'),
  ],
)
def test_samples_that_do_not_fit(
  tmp_path: Path, name: str, value: np.ndarray, complaint: str
) -> None:
  folder = write_run(tmp_path / 'a')
  path = folder / 'report' / 'samples.npz'
  with np.load(path) as file:
    samples = dict(file)
  np.savez(path, **(samples | {name: value}))
  with pytest.raises(UserError, match=complaint):
    runs.read([folder])


def test_optional_parts_may_be_null(tmp_path: Path) -> None:
  optional = (
    'selected',
    'rank_correlation',
    'class_names',
    'confusion_matrix',
    'proxy_a_distance',
    'published',
  )
  folder = write_run(tmp_path / 'a', **dict.fromkeys(optional))
  assert json.loads((folder / 'result.json').read_text())['published'] is None
  (run,) = runs.read([folder])
  assert run.class_name(3) == '3'
