import json
from pathlib import Path

import pytest

from tlda.errors import UserError
from tlda.report import tables
from tlda.report.formats import markdown

_RESULT = {
  'protocol': 'Ganin et al. 2016',
  'method': 'dann',
  'source': ['mnist'],
  'target': 'mnist_m',
  'seeds': [0, 1, 2],
  'accuracy': {'source_test': [0.99, 0.99, 0.99], 'target_test': [0.70, 0.75, 0.80]},
  'selected': {'source_accuracy': [0.7, 0.7, 0.7], 'oracle': [0.81, 0.82, 0.83]},
  'published': {'value': 0.7666, 'reference': 'Ganin et al. 2016, Table 2'},
  'data': {'mnist': {'examples': 70000, 'sha256': 'a' * 64}},
}


def _row(selection: str = 'last', **changes: object) -> dict:
  return tables.row(
    _RESULT | changes,
    command='python -m experiments.digits --method=dann',
    commit='0123456789abcdef',
    selection=selection,
  )


def test_a_row_holds_mean_and_sample_deviation() -> None:
  row = _row()
  assert row['target_test_mean'] == pytest.approx(0.75)
  assert row['target_test_std'] == pytest.approx(0.05)
  assert set(row) == {
    *('protocol', 'method', 'source', 'target', 'seeds', 'selection', 'target_test_mean'),
    *('target_test_std', 'published', 'command', 'commit', 'data', 'target_test'),
  }
  assert row['target_test'] == [0.70, 0.75, 0.80]


def test_a_row_is_of_the_selection_asked_for() -> None:
  assert _row('oracle')['target_test_mean'] == pytest.approx(0.82)
  with pytest.raises(UserError, match="unknown selection 'orakle': did you mean 'oracle'"):
    _row('orakle')


def test_markdown_holds_the_numbers() -> None:
  drawn = markdown.draw([_row()])
  line = '| mnist → mnist_m | dann | 75.00 ± 5.00 | 76.66 | −1.66 | 3 | last |'
  assert line in drawn.splitlines()
  assert '<code>python -m experiments.digits --method=dann</code>' in drawn
  assert '<code>0123456789ab</code>' in drawn
  assert 'mnist <code>aaaaaaaaaaaa</code>' in drawn
  assert 'Ganin et al. 2016, Table 2' in drawn


def test_one_seed_has_no_deviation_and_nothing_published_no_difference() -> None:
  accuracy = {'source_test': [0.9], 'target_test': [0.5]}
  drawn = markdown.draw([_row(seeds=[0], accuracy=accuracy, published=None)])
  assert '| dann | 50.00 | – | – | 1 | last |' in drawn


def test_an_oracle_says_so() -> None:
  assert '| oracle (uses target labels) |' in markdown.draw([_row('oracle')])


def test_each_protocol_has_a_table() -> None:
  drawn = markdown.draw([_row(), _row(protocol='full USPS'), _row(method='source_only')])
  assert drawn.count('| Source → target |') == 2
  first, second = drawn.split('**full USPS**')
  assert '| source_only |' in first
  assert '| source_only |' not in second


def test_cells_cannot_be_broken_out_of() -> None:
  drawn = markdown.draw([_row(method='a | b\n<!-- /results:x -->')])
  assert 'a \\| b &lt;!-- /results:x --&gt;' in drawn


def test_round_trip(tmp_path: Path) -> None:
  path = tmp_path / 'results' / 'digits.json'
  rows = [_row(), _row('oracle')]
  tables.write(path, rows)
  assert tables.read(path) == rows
  image = '\n![Measured and published numbers](digits.svg)\n'
  assert path.with_suffix('.md').read_text() == markdown.draw(rows) + image
  assert tables.is_current(path)


@pytest.mark.parametrize('suffix', ['.md', '.csv', '.tex', '.svg'])
def test_a_number_changed_by_hand_is_seen(tmp_path: Path, suffix: str) -> None:
  path = tmp_path / 'digits.json'
  tables.write(path, [_row()])
  drawn = path.with_suffix(suffix)
  content = drawn.read_text()
  assert '1.66' in content
  drawn.write_text(content.replace('1.66', '1.06'))
  assert not tables.is_current(path)
  drawn.unlink()
  assert not tables.is_current(path)


def test_without_published_numbers_there_is_no_figure(tmp_path: Path) -> None:
  path = tmp_path / 'digits.json'
  tables.write(path, [_row()])
  assert path.with_suffix('.svg').exists()
  tables.write(path, [_row(published=None)])
  assert not path.with_suffix('.svg').exists()
  assert 'svg' not in path.with_suffix('.md').read_text()
  assert tables.is_current(path)
  path.with_suffix('.svg').write_text('<svg></svg>')
  assert not tables.is_current(path)


@pytest.mark.parametrize(
  'changes',
  [
    {'target_test_mean': 0.76},
    {'target_test_std': 0.06},
    {'target_test_std': None},
    {'target_test': [0.7, 0.8]},
  ],
)
def test_a_mean_that_is_not_that_of_its_seeds(tmp_path: Path, changes: dict) -> None:
  path = tmp_path / 'digits.json'
  wrong = _row() | changes
  with pytest.raises(UserError, match=r'digits\.json is broken: row 2'):
    tables.write(path, [_row(), wrong])
  assert not path.exists()
  path.write_text(json.dumps([_row(), wrong]))
  with pytest.raises(UserError, match=r'digits\.json is broken: row 2'):
    tables.read(path)


def test_old_rows_do_not_know_their_seeds(tmp_path: Path) -> None:
  path = tmp_path / 'digits.json'
  old = {key: value for key, value in _row().items() if key != 'target_test'}
  tables.write(path, [old])
  assert tables.read(path) == [old]
  assert tables.is_current(path)


@pytest.mark.parametrize('content', ['', '{}', '[{"method": "dann"}]'])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: str) -> None:
  path = tmp_path / 'digits.json'
  path.write_text(content)
  with pytest.raises(UserError, match=r'digits\.json is broken'):
    tables.read(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='cannot be read'):
    tables.read(tmp_path / 'digits.json')


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
  readme, path = tmp_path / 'README.md', tmp_path / 'digits.json'
  readme.write_text('# A\n<!-- results:digits -->\nold\n<!-- /results:digits -->\nend\n')
  tables.write(path, [_row()])
  assert not tables.is_current(path, readme)
  for _ in range(2):
    tables.update_readme(readme, path)
    assert tables.is_current(path, readme)
  content = readme.read_text()
  assert content.startswith('# A\n<!-- results:digits -->\n**Ganin')
  assert content.endswith('numbers](digits.svg)\n<!-- /results:digits -->\nend\n')
  assert 'old' not in content


@pytest.mark.parametrize(
  'content',
  [
    'nothing',
    '<!-- results:digits -->',
    '<!-- /results:digits --> <!-- results:digits -->',
    '<!-- results:digits --><!-- /results:digits -->' * 2,
  ],
)
def test_missing_marks_are_an_error_and_change_nothing(tmp_path: Path, content: str) -> None:
  readme, path = tmp_path / 'README.md', tmp_path / 'results' / 'digits.json'
  tables.write(path, [_row()])
  readme.write_text(content)
  with pytest.raises(UserError, match='each once'):
    tables.update_readme(readme, path)
  assert readme.read_text() == content


def test_rows_are_plain_json() -> None:
  assert json.loads(json.dumps(_row())) == _row()


def test_a_readme_above_finds_the_figure(tmp_path: Path) -> None:
  readme, path = tmp_path / 'README.md', tmp_path / 'results' / 'digits.json'
  readme.write_text('<!-- results:digits -->\n<!-- /results:digits -->\n')
  tables.write(path, [_row()])
  tables.update_readme(readme, path)
  assert '(results/digits.svg)' in readme.read_text()
  assert tables.is_current(path, readme)
