"""The real domains without a test set, where they are there: counted, split, and what they say."""

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tlda import data
from tlda.data import office_caltech, unsplit
from tlda.data.domains import Domain
from tlda.errors import UserError

THINGS = [
  'backpack',
  'bike',
  'calculator',
  'headphones',
  'keyboard',
  'laptop',
  'monitor',
  'mouse',
  'mug',
  'projector',
]
OFFICE = {
  'amazon': [92, 82, 94, 99, 100, 100, 99, 100, 94, 98],
  'caltech10': [151, 110, 100, 138, 85, 128, 133, 94, 87, 97],
  'dslr': [12, 21, 12, 13, 10, 24, 22, 12, 8, 23],
  'webcam': [29, 21, 31, 27, 27, 30, 43, 30, 27, 30],
}
PACS = {'art_painting': 2048, 'cartoon': 2344, 'photo': 1670, 'sketch': 3929}
# 1-NN accuracies in percent, as counted when the data were collected; those of the JDA paper.
NEAREST = {
  'caltech10': {'amazon': 23.70, 'webcam': 25.76, 'dslr': 25.48},
  'amazon': {'caltech10': 26.00, 'webcam': 29.83, 'dslr': 25.48},
  'webcam': {'caltech10': 19.86, 'amazon': 22.96, 'dslr': 59.24},
  'dslr': {'caltech10': 26.27, 'amazon': 28.50, 'webcam': 63.39},
}
NAMES = [n for n in data.names() if n.split('/')[0] in ('office_caltech', 'pacs', 'amazon_text')]


def assert_split(name: str, data_dir: Path, size: int | None = None) -> Domain:
  """Checks that a domain's two splits are all its examples, a fifth of each class held out."""
  whole, parts = data.load(f'{name}/all', data_dir, size), data.load(name, data_dir, size)
  assert (whole.name, parts.name) == (f'{name}/all', name)
  assert whole.train is whole.test
  counts = np.bincount(whole.train.labels)
  np.testing.assert_array_equal(np.bincount(parts.test.labels), counts // 5)
  np.testing.assert_array_equal(np.bincount(parts.train.labels), counts - counts // 5)
  # By label, fifths in order: put back where they were, they are the whole.
  for label in range(len(counts)):
    own = [s.inputs[s.labels == label] for s in (whole.train, parts.train, parts.test)]
    tested = np.arange(len(own[0])) % 5 == 4
    np.testing.assert_array_equal(own[0][~tested], own[1])
    np.testing.assert_array_equal(own[0][tested], own[2])
  assert whole.licence
  assert whole.train.labels.dtype == np.int32
  return whole


def test_every_one_is_listed_once() -> None:
  assert len(NAMES) == 4 + 4 + 3 + 4 + 4
  assert not any(name.endswith(unsplit.ALL) for name in data.names())
  with pytest.raises(UserError, match='did you mean .*pacs/photo/all'):
    data.load('pacs/foto/all')


@pytest.mark.parametrize('name', OFFICE)
def test_office_images(name: str, data_dir: Path) -> None:
  whole = assert_split(f'office_caltech/{name}', data_dir)
  np.testing.assert_array_equal(np.bincount(whole.train.labels), OFFICE[name])
  assert whole.train.inputs.shape == (sum(OFFICE[name]), 128, 128, 3)
  assert whole.train.inputs.dtype == np.uint8
  assert list(whole.classes) == THINGS


@pytest.mark.parametrize(('name', 'count'), PACS.items())
def test_pacs_images(name: str, count: int, data_dir: Path) -> None:
  whole = assert_split(f'pacs/{name}', data_dir, size=16)
  assert whole.train.inputs.shape == (count, 16, 16, 3)
  assert whole.classes == ('dog', 'elephant', 'giraffe', 'guitar', 'horse', 'house', 'person')
  assert set(whole.train.labels) == set(range(7))


def test_pacs_is_white_where_sketches_are(data_dir: Path) -> None:
  sketch, photo = (data.load(f'pacs/{name}/all', data_dir) for name in ('sketch', 'photo'))
  assert sketch.train.inputs.shape[1:] == (96, 96, 3)
  assert sketch.train.inputs.mean() > 200 > photo.train.inputs.mean()


@pytest.mark.parametrize('kind', ['surf', 'googlenet'])
@pytest.mark.parametrize('name', OFFICE)
def test_office_vectors(kind: str, name: str, data_dir: Path) -> None:
  if (kind, name) == ('googlenet', 'caltech10'):
    with pytest.raises(UserError, match='unknown domain'):
      data.load(f'office_caltech/{kind}/{name}', data_dir)
    return
  whole = assert_split(f'office_caltech/{kind}/{name}', data_dir)
  assert whole.train.inputs.shape == (sum(OFFICE[name]), {'surf': 800, 'googlenet': 1024}[kind])
  assert whole.train.inputs.dtype == np.float32
  np.testing.assert_array_equal(np.bincount(whole.train.labels), OFFICE[name])
  assert list(whole.classes) == THINGS
  with pytest.raises(UserError, match='holds vectors, which have no image size'):
    data.load(f'office_caltech/{kind}/{name}', data_dir, 32)


def test_rows_are_shares_and_columns_standardized() -> None:
  counts = np.array([[1, 1, 2], [3, 0, 3], [2, 3, 5]], np.uint8)
  # Shares: .25 .25 .5, .5 0 .5, .2 .3 .5; the last column is constant.
  first, second = np.array([0.25, 0.5, 0.2]), np.array([0.25, 0.0, 0.3])
  of = lambda x: (x - x.sum() / 3) / np.sqrt(((x - x.sum() / 3) ** 2).sum() / 2)
  expected = np.stack([of(first), of(second), np.zeros(3)], axis=1)
  np.testing.assert_allclose(office_caltech.standardized(counts), expected, atol=1e-15)


@pytest.mark.parametrize('source', NEAREST)
def test_nearest_neighbours_are_those_of_the_papers(source: str, data_dir: Path) -> None:
  known = data.load(f'office_caltech/surf/{source}/all', data_dir).train
  for target, expected in NEAREST[source].items():
    asked = data.load(f'office_caltech/surf/{target}/all', data_dir).train
    gaps = (known.inputs**2).sum(axis=1) - 2 * asked.inputs @ known.inputs.T
    found = np.mean(known.labels[gaps.argmin(axis=1)] == asked.labels)
    assert round(100 * found, 2) == expected, target


@pytest.mark.parametrize('name', ['books', 'dvd', 'electronics', 'kitchen'])
def test_reviews(name: str, data_dir: Path) -> None:
  whole = assert_split(f'amazon_text/{name}', data_dir)
  assert whole.classes == ('negative', 'positive')
  np.testing.assert_array_equal(np.bincount(whole.train.labels), [1000, 1000])
  with gzip.open(data_dir / 'amazon_reviews' / f'{name}.jsonl.gz', 'rt') as lines:
    for number, line in enumerate(lines):
      review = json.loads(line)
      assert whole.train.inputs[number] == review['title'] + '\n' + review['text']
  assert number == 1999
  with pytest.raises(UserError, match='holds texts, which have no image size'):
    data.load(f'amazon_text/{name}', data_dir, 32)


@pytest.mark.parametrize('name', NAMES)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
  for asked in (name, f'{name}/all'):
    with pytest.raises(UserError, match=rf'^{asked}: .* is missing, looked for in .*licence'):
      data.load(asked, tmp_path)


@pytest.mark.parametrize(
  ('name', 'file'),
  [
    ('office_caltech/surf/dslr', 'office_caltech10/surf800.npz'),
    ('office_caltech/dslr', 'office_caltech10/images_128_jpeg.npz'),
    ('amazon_text/kitchen', 'amazon_reviews/kitchen.jsonl.gz'),
  ],
)
def test_changed_files_are_refused(name: str, file: str, data_dir: Path, tmp_path: Path) -> None:
  path = tmp_path / file
  path.parent.mkdir()
  shutil.copyfile(data_dir / file, path)
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(UserError, match=f'{re.escape(str(path))} differs from the published data'):
    data.load(name, tmp_path)
