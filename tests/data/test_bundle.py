"""Encoded images in one file: which are whose, and what is kept between two loads."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlda.data import Domain, bundle
from tlda.errors import UserError

# Of two domains in turn: 20 images of 6 rows and 4 columns, kept losslessly.
IMAGES = np.random.RandomState(0).randint(0, 256, (20, 6, 4, 3)).astype(np.uint8)
LABELS = np.array([0, 1] * 5 + [1, 0] * 5)
DOMAINS = np.array([1, 1, 0, 0] * 5)


def write(path: Path, *, broken: int | None = None, without: str | None = None) -> str:
  """Writes a bundle; returns its hash."""
  encoded = []
  for image in IMAGES:
    content = io.BytesIO()
    Image.fromarray(image).save(content, 'PNG')
    encoded.append(content.getvalue())
  if broken is not None:
    encoded[broken] = encoded[broken][:30]
  arrays = {
    'jpeg': np.frombuffer(b''.join(encoded), np.uint8),
    'offsets': np.cumsum([0, *map(len, encoded)]),
    'label': LABELS,
    'domain': DOMAINS,
    'domain_names': np.array(['left', 'right']),
    'class_names': np.array(['cat', 'dog']),
    'filename': np.array([f'{number}.png' for number in range(len(IMAGES))]),
  }
  arrays.pop(without, None)
  np.savez(path, **arrays)
  return hashlib.sha256(path.read_bytes()).hexdigest()


def load(name: str, path: Path, sha256: str, size: int | None = None) -> Domain:
  return bundle.load(name, name.split('/')[1], path, sha256, 'none', size)


def test_a_domain_has_its_own_images_in_order(tmp_path: Path) -> None:
  path = tmp_path / 'a.npz'
  sha256 = write(path)
  for number, part in enumerate(('left', 'right')):
    whole = load(f'toy/{part}/all', path, sha256)
    assert whole.train is whole.test
    assert whole.classes == ('cat', 'dog')
    np.testing.assert_array_equal(whole.train.inputs, IMAGES[number == DOMAINS])
    np.testing.assert_array_equal(whole.train.labels, LABELS[number == DOMAINS])
  right = load('toy/right', path, sha256)
  # Of each class five images: the fifth of each is tested with.
  own = LABELS[DOMAINS == 1]
  held = [np.flatnonzero(own == label)[4] for label in (0, 1)]
  np.testing.assert_array_equal(right.test.inputs, IMAGES[DOMAINS == 1][sorted(held)])
  assert (len(right.train), len(right.test)) == (8, 2)


def test_what_was_decoded_is_kept_until_the_file_changes(tmp_path: Path) -> None:
  path = tmp_path / 'a.npz'
  sha256 = write(path)
  first, again = (load('toy/left/all', path, sha256).train.inputs for _ in range(2))
  assert first is again
  assert not first.flags.writeable
  path.write_bytes(b'another file')
  os.utime(path, ns=(1, 1))
  with pytest.raises(UserError, match='differs from the published data'):
    load('toy/left/all', path, sha256)


def test_images_are_resized(tmp_path: Path) -> None:
  path = tmp_path / 'a.npz'
  small = load('toy/left/all', path, write(path), size=2).train.inputs
  picture = Image.fromarray(IMAGES[2]).resize((2, 2), Image.Resampling.BILINEAR)
  assert small.shape == (10, 2, 2, 3)
  np.testing.assert_array_equal(small[0], np.asarray(picture))


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
  path = tmp_path / 'a.npz'
  sha256 = write(path)
  with pytest.raises(UserError, match=r'a\.npz has no domain middle, it has left, right'):
    load('toy/middle', path, sha256)
  path = tmp_path / 'b.npz'
  with pytest.raises(UserError, match=r'b\.npz has no array offsets'):
    load('toy/left', path, write(path, without='offsets'))
  path = tmp_path / 'c.npz'
  with pytest.raises(UserError, match=r'^2\.png of toy/left is not a readable image'):
    load('toy/left/all', path, write(path, broken=2))
