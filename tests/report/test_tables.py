import json
from pathlib import Path

import pytest

from tlda.errors import UserError
from tlda.report import tables

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
    *('target_test_std', 'published', 'command', 'commit', 'data'),
  }


def test_a_row_is_of_the_selection_asked_for() -> None:
  assert _row('oracle')['target_test_mean'] == pytest.approx(0.82)
  with pytest.raises(UserError, match="unknown selection 'orakle': did you mean 'oracle'"):
    _row('orakle')


def test_markdown_holds_the_numbers() -> None:
  markdown = tables.markdown([_row()])
  line = '| mnist → mnist_m | dann | 75.00 ± 5.00 | 76.66 | −1.66 | 3 | last |'
  assert line in markdown.splitlines()
  assert '<code>python -m experiments.digits --method=dann</code>' in markdown
  assert '<code>0123456789ab</code>' in markdown
  assert 'mnist <code>aaaaaaaaaaaa</code>' in markdown
  assert 'Ganin et al. 2016, Table 2' in markdown


def test_one_seed_has_no_deviation_and_nothing_published_no_difference() -> None:
  accuracy = {'source_test': [0.9], 'target_test': [0.5]}
  markdown = tables.markdown([_row(seeds=[0], accuracy=accuracy, published=None)])
  assert '| dann | 50.00 | – | – | 1 | last |' in markdown


def test_an_oracle_says_so() -> None:
  assert '| oracle (uses target labels) |' in tables.markdown([_row('oracle')])


def test_each_protocol_has_a_table() -> None:
  markdown = tables.markdown([_row(), _row(protocol='full USPS'), _row(method='source_only')])
  assert markdown.count('| Source → target |') == 2
  first, second = markdown.split('**full USPS**')
  assert '| source_only |' in first
  assert '| source_only |' not in second


def test_cells_cannot_be_broken_out_of() -> None:
  markdown = tables.markdown([_row(method='a | b\n<!-- /results:x -->')])
  assert 'a \\| b &lt;!-- /results:x --&gt;' in markdown


def test_round_trip(tmp_path: Path) -> None:
  path = tmp_path / 'results' / 'digits.json'
  rows = [_row(), _row('oracle')]
  tables.write(path, rows)
  assert tables.read(path) == rows
  assert path.with_suffix('.md').read_text() == tables.markdown(rows)
  assert tables.is_current(path)


def test_a_number_changed_by_hand_is_seen(tmp_path: Path) -> None:
  path = tmp_path / 'digits.json'
  tables.write(path, [_row()])
  drawn = path.with_suffix('.md')
  drawn.write_text(drawn.read_text().replace('75.00', '77.00'))
  assert not tables.is_current(path)
  drawn.unlink()
  assert not tables.is_current(path)


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
    tables.update_readme(readme, 'digits', tables.markdown(tables.read(path)))
    assert tables.is_current(path, readme)
  content = readme.read_text()
  assert content.startswith('# A\n<!-- results:digits -->\n**Ganin')
  assert content.endswith('</details>\n<!-- /results:digits -->\nend\n')
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
  readme = tmp_path / 'README.md'
  readme.write_text(content)
  with pytest.raises(UserError, match='each once'):
    tables.update_readme(readme, 'digits', 'new')
  assert readme.read_text() == content


def test_rows_are_plain_json() -> None:
  assert json.loads(json.dumps(_row())) == _row()
