"""Images: resizing and decoding."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlda.data import images
from tlda.data.images import EncodedImages, Files, decoded, resize
from tlda.errors import UserError


def save(path: Path, pixels: np.ndarray) -> Path:
  Image.fromarray(pixels).save(path)
  return path


def noise(*shape: int) -> np.ndarray:
  return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_resize_by_hand() -> None:
  # Twice as large: pixel centres lie at 1/4 and 3/4 between neighbours, borders are repeated.
  row = np.array([0, 100], np.float32)
  image = np.broadcast_to(row, (1, 2, 2))[..., None]
  expected = np.broadcast_to([0, 25, 75, 100], (4, 4))
  np.testing.assert_allclose(resize(image, 4)[0, ..., 0], expected)
  np.testing.assert_array_equal(resize(image.astype(np.uint8), 4)[0, ..., 0], expected)


def test_resize_keeps_channels_apart_and_leaves_a_fitting_size() -> None:
  stack = noise(3, 6, 6, 3)
  assert resize(stack, None) is stack
  assert resize(stack, 6) is stack
  small = resize(stack, 4)
  assert small.shape == (3, 4, 4, 3)
  np.testing.assert_array_equal(small[..., 1:2], resize(stack[..., 1:2], 4))


def test_small_sets_are_decoded_at_once(tmp_path: Path) -> None:
  pixels = noise(2, 5, 7, 3)
  files = Files([save(tmp_path / f'{i}.png', image) for i, image in enumerate(pixels)])
  np.testing.assert_array_equal(decoded(files, None, 3), pixels)


def test_large_sets_are_decoded_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  pixels = noise(3, 4, 4, 3)
  files = Files([save(tmp_path / f'{i}.png', image) for i, image in enumerate(pixels)])
  monkeypatch.setattr(images, 'EAGER_BYTES', 100)
  lazy = decoded(files, None, 3)
  assert isinstance(lazy, EncodedImages)
  assert (len(lazy), lazy.shape, lazy.dtype) == (3, (3, 4, 4, 3), np.uint8)
  np.testing.assert_array_equal(lazy.fetch(np.array([2, 0, 2])), pixels[[2, 0, 2]])
  assert lazy.with_channels(1).fetch(np.array([1])).shape == (1, 4, 4, 1)


def test_grey_palette_and_transparent_images_become_color(tmp_path: Path) -> None:
  grey = Image.fromarray(noise(4, 4))
  for number, mode in enumerate(('L', 'P', 'RGBA', '1')):
    grey.convert(mode).save(tmp_path / f'{number}.png')
  array = decoded(Files(sorted(tmp_path.iterdir())), None, 3)
  assert array.shape == (4, 4, 4, 3)
  for channel in range(3):
    np.testing.assert_array_equal(array[0, ..., channel], np.asarray(grey))


def test_sizes_must_agree_unless_one_is_given(tmp_path: Path) -> None:
  files = Files([save(tmp_path / 'a.png', noise(4, 4)), save(tmp_path / 'b.png', noise(5, 6))])
  with pytest.raises(UserError, match=r'b.png is 6x5 where other images are 4x4: give an image'):
    decoded(files, None, 3)
  assert decoded(files, 3, 1).shape == (2, 3, 3, 1)


@pytest.mark.parametrize('content', [b'', b'not an image', None])
def test_unreadable_images_are_named(tmp_path: Path, content: bytes | None) -> None:
  if content is None:  # Cut in the middle: the header is fine.
    buffer = io.BytesIO()
    Image.fromarray(noise(32, 32)).save(buffer, 'png')
    content = buffer.getvalue()[:500]
  (tmp_path / 'broken.png').write_bytes(content)
  for size in (None, 8):
    with pytest.raises(UserError, match=r'broken.png is not a readable image'):
      decoded(Files([tmp_path / 'broken.png']), size, 3)


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  files = Files([save(tmp_path / 'bomb.png', np.zeros((40, 40), np.uint8))])
  monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 500)
  with pytest.raises(UserError, match='bomb.png is not a readable image.*decompression bomb'):
    decoded(files, 4, 3)
