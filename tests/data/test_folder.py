"""`folder:PATH`, and what untrusted image files may do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlda import data
from tlda.data import images
from tlda.errors import UserError


def picture(value: int, size: tuple[int, int] = (4, 4)) -> Image.Image:
  return Image.new('RGB', size, (value, 2 * value, 255 - value))


def fill(folder: Path, values: Sequence[int], size: tuple[int, int] = (4, 4)) -> None:
  folder.mkdir(parents=True)
  for value in values:
    picture(value, size).save(folder / f'{value:03}.png')


@pytest.fixture
def split(tmp_path: Path) -> Path:
  """Class folders below train/ and test/."""
  fill(tmp_path / 'train' / 'cat', [1, 2])
  fill(tmp_path / 'train' / 'ant', [3])
  fill(tmp_path / 'test' / 'ant', [4])
  fill(tmp_path / 'test' / 'cat', [5])
  return tmp_path


def test_train_and_test_are_those_that_are_there(split: Path) -> None:
  loaded = data.load(f'folder:{split}')
  assert (loaded.name, loaded.classes) == (f'folder:{split}', ('ant', 'cat'))
  np.testing.assert_array_equal(loaded.train.inputs[:, 0, 0, 0], [3, 1, 2])
  np.testing.assert_array_equal(loaded.train.labels, [0, 1, 1])
  np.testing.assert_array_equal(loaded.test.inputs[:, 0, 0], [[4, 8, 251], [5, 10, 250]])
  np.testing.assert_array_equal(loaded.test.labels, [0, 1])


def test_every_fifth_image_of_a_class_tests_where_there_is_no_test_folder(tmp_path: Path) -> None:
  fill(tmp_path / 'a', range(4))
  fill(tmp_path / 'b', range(10, 21))
  (tmp_path / '.hidden').mkdir()
  loaded = data.load(f'folder:{tmp_path}')
  np.testing.assert_array_equal(loaded.test.inputs[:, 0, 0, 0], [14, 19])
  np.testing.assert_array_equal(loaded.test.labels, [1, 1])
  np.testing.assert_array_equal(
    loaded.train.inputs[:, 0, 0, 0], [0, 1, 2, 3, 10, 11, 12, 13, 15, 16, 17, 18, 20]
  )


def test_a_large_set_is_decoded_when_it_is_asked_for(
  split: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  eager = data.load(f'folder:{split}')
  monkeypatch.setattr(images, 'EAGER_BYTES', 0)
  lazy = data.load(f'folder:{split}')
  assert not isinstance(lazy.train.inputs, np.ndarray)
  np.testing.assert_array_equal(lazy.train.fetch(np.array([2, 0])), eager.train.inputs[[2, 0]])
  assert lazy.train.sha256 == eager.train.sha256
  np.testing.assert_array_equal(data.channel_mean([lazy]), data.channel_mean([eager]))


def test_sizes_differ_unless_one_is_given(split: Path) -> None:
  picture(9, (6, 4)).save(split / 'train' / 'cat' / 'z.png')
  with pytest.raises(UserError, match=r'z.png is 6x4 where other images are 4x4: give an image'):
    data.load(f'folder:{split}')
  assert data.load(f'folder:{split}', image_size=3).train.inputs.shape == (4, 3, 3, 3)


def test_train_and_test_are_of_one_size(tmp_path: Path) -> None:
  fill(tmp_path / 'train' / 'a', [1])
  fill(tmp_path / 'test' / 'a', [1], (5, 5))
  with pytest.raises(UserError, match='different sizes: give an image size'):
    data.load(f'folder:{tmp_path}')


def test_there_must_be_a_folder_with_full_class_folders(split: Path, tmp_path: Path) -> None:
  with pytest.raises(UserError, match=r'no such folder: .*nowhere'):
    data.load(f'folder:{tmp_path}/nowhere')
  with pytest.raises(UserError, match=r'cat has no class folders'):
    data.load(f'folder:{split}/train/cat')
  (split / 'train' / 'bee').mkdir()
  with pytest.raises(UserError, match=r'class folder .*bee is empty'):
    data.load(f'folder:{split}')
  picture(1).save(split / 'train' / 'bee' / '1.png')
  with pytest.raises(UserError, match=r'train and test have different class folders \(bee\)'):
    data.load(f'folder:{split}')


def test_too_few_images_to_hold_some_out(tmp_path: Path) -> None:
  fill(tmp_path / 'a', range(4))
  with pytest.raises(UserError, match='too few examples to hold out a test set'):
    data.load(f'folder:{tmp_path}')


@pytest.mark.parametrize('content', [b'', b'text', b'\x89PNG\r\n\x1a\n'])
def test_an_unreadable_image_is_named(split: Path, content: bytes) -> None:
  (split / 'test' / 'cat' / 'bad.png').write_bytes(content)
  for size in (None, 4):
    with pytest.raises(UserError, match=r'cat/bad\.png is not a readable image') as caught:
      data.load(f'folder:{split}', image_size=size)
    assert '\n' not in str(caught.value)


def test_a_format_that_is_a_program_is_refused(split: Path) -> None:
  # By its contents this is PostScript, whatever its name, which Ghostscript would run.
  picture(1).save(split / 'test' / 'cat' / 'bad.png', 'EPS')
  with pytest.raises(UserError, match=r'bad\.png is not a readable image'):
    data.load(f'folder:{split}')


def test_deep_pixels_are_not_cut_off_unsaid(split: Path) -> None:
  pixels = np.full((4, 4), 40_000, np.uint16)
  Image.fromarray(pixels).save(split / 'train' / 'cat' / 'deep.png')
  with pytest.raises(UserError, match=r'deep\.png is not .* \(more than 8 bits a channel'):
    data.load(f'folder:{split}')


@pytest.mark.filterwarnings('ignore::PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('limit', [15, 7])
def test_a_decompression_bomb_is_refused(
  split: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
  # Of 16 pixels: Pillow itself only warns up to twice its limit.
  monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', limit)
  with pytest.raises(UserError, match=r'003\.png is not a readable image \(.*pixels'):
    data.load(f'folder:{split}')
