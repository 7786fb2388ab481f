import html.parser
import re
from pathlib import Path

import pytest

from tests.report.fake_run import write_run
from tlda import report
from tlda.errors import UserError

_HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>$title'
_VOID = {'meta', 'img', 'br'}
_LOADS = {'src', 'href', 'data', 'srcset', 'action', 'poster', 'xlink:href'}


class _Reader(html.parser.HTMLParser):
  """Checks that elements are closed in order, and keeps what a test asks for."""

  def __init__(self) -> None:
    super().__init__()
    self.open: list[str] = []
    self.tags: list[tuple[str, dict[str, str]]] = []
    self.rows: list[list[str]] = []

  def handle_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
    self.tags.append((tag, dict(attrs)))
    if tag not in _VOID:
      self.open.append(tag)
    if tag == 'tr':
      self.rows.append([])
    if tag in ('td', 'th'):
      self.rows[-1].append('')

  def handle_startendtag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
    self.tags.append((tag, dict(attrs)))

  def handle_endtag(self, tag: str) -> None:
    assert self.open.pop() == tag

  def handle_data(self, data: str) -> None:
    if self.rows and {'td', 'th'} & set(self.open):
      self.rows[-1][-1] += data


def _read(page: str) -> _Reader:
  reader = _Reader()
  reader.feed(page)
  reader.close()
  assert reader.open == []
  return reader


def _write(tmp_path: Path, *folders: Path) -> str:
  output = tmp_path / 'page' / 'index.html'
  report.write(folders, output)
  return output.read_text()


@pytest.fixture(scope='module')
def three(tmp_path_factory: pytest.TempPathFactory) -> str:
  tmp_path = tmp_path_factory.mktemp('three')
  seeds = {'source_only': 3, 'dann': 3, 'target_only': 1}
  accuracy = {
    'source_only': [0.50, 0.52, 0.54],
    'dann': [0.7612, 0.7733, 0.7589],
    'target_only': [0.9601],
  }
  return _write(
    tmp_path,
    *(
      write_run(
        tmp_path / method,
        method=method,
        seeds=seeds[method],
        accuracy={'source_test': [0.98] * seeds[method], 'target_test': accuracy[method]},
        selected={'source_accuracy': [0.4] * seeds[method], 'oracle': [0.8] * seeds[method]},
      )
      for method in seeds
    ),
  )


def test_the_page_stands_alone(three: str) -> None:
  reader = _read(three)
  assert three.startswith('<!DOCTYPE html>')
  assert 'script' not in {tag for tag, _ in reader.tags}
  for _, attributes in reader.tags:
    for name, value in attributes.items():
      assert not name.startswith('on')
      assert name not in _LOADS or value.startswith(('data:image/', '#'))
  assert not re.findall(r'url\((?!#)', three)
  assert '@import' not in three


def test_names_on_the_page_are_unique(three: str) -> None:
  names = [attributes['id'] for _, attributes in _read(three).tags if 'id' in attributes]
  assert len(names) == len(set(names)) > 0


def test_every_figure_can_be_read_aloud(three: str) -> None:
  for tag, attributes in _read(three).tags:
    assert tag != 'img' or attributes['alt']
    assert attributes.get('role') != 'img' or attributes['aria-label']


def test_the_table_holds_mean_and_sample_deviation(three: str) -> None:
  head, *rows = _read(three).rows[:4]
  assert head == [
    *('Method', 'Target testlast step', 'Published', 'Differencepoints'),
    *('Oracleuses target labels', 'Source test', 'Seeds'),
  ]
  # By hand: mean and sqrt(sum of squares / 2) of .50 .52 .54, and of .7612 .7733 .7589.
  expected = [
    ['source_only', '52.00 ± 2.00', '52.25', '−0.25', '80.00 ± 0.00'],
    ['dann', '76.45 ± 0.77', '76.66', '−0.21', '80.00 ± 0.00'],
    ['target_only', '96.01', '95.96', '+0.05', '80.00'],
  ]
  assert [row[:5] for row in rows] == expected
  assert [row[-1] for row in rows] == ['3', '3', '1']


def test_every_rule_is_shown_with_what_it_would_have_chosen(three: str, tmp_path: Path) -> None:
  rows = _read(three).rows
  start = next(place for place, row in enumerate(rows) if row[0] == 'Chosen by')
  assert rows[start][1:3] == ['Target testsource_only', 'Rank correlationsource_only']
  assert rows[start + 1][:4] == ['last', '52.00 ± 2.00', '–', '76.45 ± 0.77']
  assert rows[start + 2][:4] == ['source accuracy', '40.00 ± 0.00', '–', '40.00 ± 0.00']
  assert rows[start + 3][:4] == ['oracle', '80.00 ± 0.00', '–', '80.00 ± 0.00']

  scored = {'last': [0.5], 'snd': [0.4], 'oracle': [0.6]}
  correlations = {'snd': [-0.5]}
  folder = write_run(tmp_path / 'one', seeds=1, selected=scored, rank_correlation=correlations)
  assert ['snd', '40.00', '−0.50'] in _read(_write(tmp_path, folder)).rows
  # By hand: the mean of those seeds that have one.
  correlations = {'snd': [0.25, None, 0.5]}
  scored = {'snd': [0.4] * 3}
  folder = write_run(tmp_path / 'three', selected=scored, rank_correlation=correlations)
  rows = _read(_write(tmp_path, folder)).rows
  assert ['snd', '40.00 ± 0.00', '0.38'] in rows
  assert ['oracle', '–', '–'] in rows


def test_the_table_shows_each_of_several_sources(tmp_path: Path) -> None:
  accuracy = {'source_test': [0.7, 0.8], 'target_test': [0.5, 0.6]}
  accuracy |= {'npz:x/art.npz_test': [0.8, 0.7], 'photo_test': [0.6, 0.9]}
  several = {'source': ['npz:x/art.npz', 'photo'], 'accuracy': accuracy}
  worst = {'name': ['photo', 'npz:x/art.npz'], 'accuracy': [0.6, 0.7]}
  folders = [
    write_run(tmp_path / 'new', seeds=2, **several, worst_source=worst),
    write_run(tmp_path / 'old', seeds=2, **several, worst_source=None),
  ]
  head, new, old = _read(_write(tmp_path, *folders)).rows[:3]
  place = head.index('Source testmean of all')
  assert head[place + 1 : place + 4] == ['artsource test', 'photosource test', 'Worst source']
  # By hand: the deviation of two numbers is their distance over the root of 2.
  shown = ['75.00 ± 7.07', '75.00 ± 7.07', '75.00 ± 21.21', '65.00 ± 7.07photo, art']
  assert new[place : place + 4] == shown
  assert old[place : place + 4] == [*shown[:3], '–']


def test_the_page_says_what_was_run(three: str) -> None:
  for phrase in (
    'mnist → mnist_m',
    'Ganin et al. 2016',
    '8,600',
    'python -m experiments.digits --method=dann',
    'versions.jax',
    'b' * 64,
    'Proxy A-distance 0.84',
    'Published (source_only, dann, target_only): Ganin et al. 2016, Table 2',
  ):
    assert phrase in three


def test_equal_features_before_training_are_shown_once(three: str) -> None:
  assert three.count('class="cloud"') == 1 + 3
  assert three.count('t-SNE of the features of source and target, dann, after training') == 1


def test_a_confusion_matrix_is_summed_and_normalised(tmp_path: Path) -> None:
  matrices = [[[8, 2], [0, 0]], [[7, 3], [0, 0]]]
  page = _write(
    tmp_path,
    write_run(
      tmp_path / 'a', class_names=['cat', 'dog'], confusion_matrix={'target_test': matrices}
    ),
  )
  rows = _read(page).rows
  assert ['cat', '75', '25'] in rows
  assert ['dog', '', ''] in rows
  assert 'Most confused: cat → dog (25%)' in page


def test_what_comes_from_files_is_escaped(tmp_path: Path) -> None:
  folder = write_run(
    tmp_path / 'a',
    class_names=[_HOSTILE, 'dog'],
    experiment=_HOSTILE,
    protocol=_HOSTILE,
    source=[_HOSTILE],
    target=_HOSTILE,
    published={'value': 0.5, 'reference': _HOSTILE, 'note': _HOSTILE},
    data={_HOSTILE: {'examples': _HOSTILE, 'sha256': _HOSTILE}},
    selected={_HOSTILE: [0.5] * 3},
  )
  (folder / 'config.json').write_text('{"command": "<script>", "<script>": "<script>"}')
  record = '{"step": 1, "loss/<script>": 1, "accuracy/target_test": 1}'
  (folder / 'metrics.jsonl').write_text(record)
  page = _write(tmp_path, folder)
  assert '<script' not in page
  assert '<img src=x' not in page
  assert page.count('onerror') == page.count('&lt;img src=x onerror=alert(2)&gt;') > 5
  _read(page)


def test_a_hostile_method_is_escaped_in_figures_too(tmp_path: Path) -> None:
  folders = [write_run(tmp_path / name) for name in ('<script>', '$body')]
  page = _write(tmp_path, *folders)
  assert '<script' not in page
  assert '&lt;script&gt;' in page
  assert '$body' in page


def test_vectors_one_seed_and_nothing_published(tmp_path: Path) -> None:
  page = _write(tmp_path, write_run(tmp_path / 'a', seeds=1, vectors=True, published=None))
  reader = _read(page)
  assert 'img' not in {tag for tag, _ in reader.tags}
  assert '>Samples<' not in page
  assert 'Published' not in page
  assert '±' not in ''.join(cell for row in reader.rows for cell in row)
  assert 'the band' not in page


def test_a_regression_has_no_confusion(tmp_path: Path) -> None:
  page = _write(tmp_path, write_run(tmp_path / 'a', class_names=None, proxy_a_distance=None))
  _read(page)
  assert '>Confusion<' not in page
  assert 'A-distance' not in page
  assert re.search(r'label -?\d', page)


def test_many_classes_are_a_picture(tmp_path: Path) -> None:
  page = _write(tmp_path, write_run(tmp_path / 'a', class_names=[f'n{i}' for i in range(31)]))
  assert 'confusion matrix of 31 classes, dann' in page
  assert 'one colour for each of 31 classes' in page


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
  folder = write_run(tmp_path / 'a')
  with pytest.raises(UserError, match='cannot be written'):
    report.write([folder], folder / 'result.json' / 'index.html')
