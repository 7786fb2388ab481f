"""`tfds:NAME`, read without TensorFlow."""

import io
import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tlda import data
from tlda.data import images
from tlda.errors import UserError

PIXELS = np.random.RandomState(0).randint(0, 256, (6, 5, 4, 3)).astype(np.uint8)
ENCODED = tfds.features.Image(shape=(None, None, 3))
TENSOR = tfds.features.Tensor(shape=(5, 4, 3), dtype=np.uint8)
ANIMALS = tfds.features.ClassLabel(names=['cat', 'dog'])


def png(pixels: np.ndarray) -> io.BytesIO:
  """Encodes with Pillow: TFDS itself would take TensorFlow for it."""
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, 'PNG')
  file.seek(0)
  return file


def write(
  root: Path,
  features: dict[str, Any],
  splits: dict[str, Sequence[dict[str, Any]]],
  version: str = '1.0.0',
  file_format: str = 'array_record',
) -> Path:
  """Writes the data set `toy`, as `tfds build` would."""
  folder = root / 'toy' / version
  folder.mkdir(parents=True)
  identity = tfds.core.DatasetIdentity(
    name='toy', version=tfds.core.Version(version), data_dir=str(folder), module_name='toy'
  )
  info = tfds.core.DatasetInfo(builder=identity, features=tfds.features.FeaturesDict(features))
  writer = tfds.core.SequentialWriter(info, 1000, file_format=file_format)
  writer.initialize_splits(list(splits))
  writer.add_examples(splits)
  writer.close_splits(list(splits))
  return folder


def examples(pixels: np.ndarray, *, encoded: bool) -> list[dict[str, Any]]:
  return [
    {'image': png(image) if encoded else image, 'label': number % 2}
    for number, image in enumerate(pixels)
  ]


def toy(root: Path, *, encoded: bool = True, version: str = '1.0.0') -> Path:
  features = {'image': ENCODED if encoded else TENSOR, 'label': ANIMALS}
  parts = {'train': PIXELS[:4], 'test': PIXELS[4:]}
  splits = {name: examples(part, encoded=encoded) for name, part in parts.items()}
  return write(root, features, splits, version)


@pytest.mark.parametrize('encoded', [True, False])
def test_what_was_written_is_read(tmp_path: Path, encoded: bool) -> None:
  toy(tmp_path, encoded=encoded)
  loaded = data.load('tfds:toy', tmp_path)
  assert (loaded.name, loaded.classes) == ('tfds:toy', ('cat', 'dog'))
  np.testing.assert_array_equal(loaded.train.inputs, PIXELS[:4])
  np.testing.assert_array_equal(loaded.test.inputs, PIXELS[4:])
  np.testing.assert_array_equal(loaded.train.labels, [0, 1, 0, 1])
  assert loaded.train.labels.dtype == np.int32
  assert 'tensorflow' not in sys.modules


@pytest.mark.parametrize('encoded', [True, False])
def test_images_are_resized(tmp_path: Path, encoded: bool) -> None:
  toy(tmp_path, encoded=encoded)
  loaded = data.load('tfds:toy', tmp_path, image_size=3)
  np.testing.assert_array_equal(loaded.test.inputs, images.resize(PIXELS[4:], 3))


def test_a_large_set_is_decoded_when_it_is_asked_for(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  toy(tmp_path)
  monkeypatch.setattr(images, 'EAGER_BYTES', 0)
  inputs = data.load('tfds:toy', tmp_path).train.inputs
  assert not isinstance(inputs, np.ndarray)
  np.testing.assert_array_equal(inputs.fetch(np.array([3, 1])), PIXELS[[3, 1]])
  again = pickle.loads(pickle.dumps(inputs))  # Workers in processes of their own need it so.
  np.testing.assert_array_equal(again.fetch(np.array([2])), PIXELS[[2]])


def test_the_highest_version_is_read_unless_one_is_asked_for(tmp_path: Path) -> None:
  toy(tmp_path, version='10.0.0')
  only = examples(PIXELS[:1], encoded=False)
  write(tmp_path, {'image': TENSOR, 'label': ANIMALS}, {'train': only, 'test': only}, '9.0.0')
  assert len(data.load('tfds:toy', tmp_path).train) == 4
  assert len(data.load('tfds:toy:9.0.0', tmp_path).train) == 1


def test_what_is_not_prepared_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  with pytest.raises(UserError) as caught:
    data.load('tfds:toy', tmp_path)
  said = str(caught.value)
  for part in (
    'tfds:toy: toy is missing, looked for in',
    str(tmp_path),
    'scripts/prepare_datasets.py',
    'tfds build toy --file_format=array_record',
  ):
    assert part in said
  (tmp_path / 'toy').mkdir()
  with pytest.raises(UserError, match='toy holds no prepared data set; prepare it'):
    data.load('tfds:toy', tmp_path)
  monkeypatch.delenv('TLDA_DATA_DIR', raising=False)
  with pytest.raises(UserError, match='no data directory was given'):
    data.load('tfds:toy')


def test_a_name_stays_below_the_data_directory(tmp_path: Path) -> None:
  toy(tmp_path)
  for name in ('../toy', '/toy', 'toy:../../toy/1.0.0'):
    with pytest.raises(UserError, match='does not name a data set'):
      data.load(f'tfds:{name}', tmp_path / 'toy')


@pytest.mark.parametrize(
  ('features', 'splits', 'said'),
  [
    ({'image': TENSOR}, ('train',), r'has no split test \(it has train\)'),
    ({'image': TENSOR}, ('train', 'test'), r"no feature 'label' \(it has image\)"),
    ({'label': ANIMALS}, ('train', 'test'), r"no feature 'image' \(it has label\)"),
  ],
)
def test_splits_and_features_must_be_there(
  tmp_path: Path, features: dict[str, Any], splits: tuple[str, ...], said: str
) -> None:
  row = {key: value for key, value in (('image', PIXELS[0]), ('label', 0)) if key in features}
  write(tmp_path, features, {split: [row] for split in splits})
  with pytest.raises(UserError, match=said):
    data.load('tfds:toy', tmp_path)


def test_unlabelled_examples_are_refused(tmp_path: Path) -> None:
  row = {'image': PIXELS[0], 'label': -1}
  write(tmp_path, {'image': TENSOR, 'label': ANIMALS}, {'train': [row], 'test': [row]})
  with pytest.raises(UserError, match='labels must be at least 0, one is -1'):
    data.load('tfds:toy', tmp_path)


def test_images_are_bytes_of_one_or_three_channels(tmp_path: Path) -> None:
  deep = tfds.features.Tensor(shape=(5, 4, 3), dtype=np.float32)
  row = {'image': PIXELS[0].astype(np.float32), 'label': 1}
  write(tmp_path, {'image': deep, 'label': ANIMALS}, {'train': [row], 'test': [row]})
  with pytest.raises(UserError, match='type float32; expected uint8'):
    data.load('tfds:toy', tmp_path)


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
  good, bad = {'image': png(PIXELS[0]), 'label': 0}, {'image': io.BytesIO(b'text'), 'label': 1}
  splits = {'train': [good, bad], 'test': examples(PIXELS, encoded=True)}
  write(tmp_path, {'image': ENCODED, 'label': ANIMALS}, splits)
  with pytest.raises(UserError, match=r'tfds:toy \(train\), example 1 is not a readable image'):
    data.load('tfds:toy', tmp_path)


def test_broken_files_are_one_sentence(tmp_path: Path) -> None:
  folder = toy(tmp_path)
  (record,) = folder.glob('*train*')
  whole = record.read_bytes()
  for content in (b'', whole[: len(whole) // 2], bytes(len(whole))):
    record.write_bytes(content)
    with pytest.raises(UserError, match=r'^tfds:toy \(train\)'):
      data.load('tfds:toy', tmp_path)
  record.unlink()
  with pytest.raises(UserError, match=r'tfds:toy \(train\) cannot be read'):
    data.load('tfds:toy', tmp_path)
  (folder / 'features.json').write_text('{')
  with pytest.raises(UserError, match='cannot be read'):
    data.load('tfds:toy', tmp_path)


def test_a_description_imports_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  folder, mark = toy(tmp_path), tmp_path / 'ran'
  (tmp_path / 'trap.py').write_text(f'open({str(mark)!r}, "w").close()')
  monkeypatch.syspath_prepend(tmp_path)
  about = json.loads((folder / 'dataset_info.json').read_text())
  (folder / 'dataset_info.json').write_text(json.dumps({**about, 'moduleName': 'trap'}))
  data.load('tfds:toy', tmp_path)
  assert not mark.exists()
  description = json.loads((folder / 'features.json').read_text())
  for key in ('pythonClassName', 'type'):
    (folder / 'features.json').write_text(json.dumps({**description, key: 'trap.Features'}))
    with pytest.raises(UserError, match='names code outside TFDS, which is not run: trap.Features'):
      data.load('tfds:toy', tmp_path)
  assert not mark.exists()
