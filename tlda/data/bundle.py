"""JPEG bundles: all images of a data set, still encoded, in one npz file."""

import dataclasses
import functools
import io
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tlda.data import files, unsplit
from tlda.data.domains import Domain, Inputs
from tlda.data.images import decoded
from tlda.errors import UserError

_ARRAYS = ('jpeg', 'offsets', 'label', 'domain', 'domain_names', 'class_names', 'filename')


@dataclasses.dataclass(frozen=True)
class Images:
  """Some of the encoded images of a bundle (`Records`).

  Attributes:
    arrays: The bundle's arrays.
    rows: int `[n]`, which of its images.
    label: What the bundle is called in messages.
  """

  arrays: dict[str, np.ndarray]
  rows: np.ndarray
  label: str

  def __len__(self) -> int:
    """Returns the number of images."""
    return len(self.rows)

  def name(self, index: int) -> str:
    """Returns what one is called in messages."""
    return f'{self.arrays["filename"][self.rows[index]]} of {self.label}'

  def open(self, index: int) -> BinaryIO:
    """Returns the encoded bytes of one, as an open file."""
    row = self.rows[index]
    start, stop = self.arrays['offsets'][row : row + 2]
    return io.BytesIO(self.arrays['jpeg'][start:stop].tobytes())


def load(name: str, part: str, path: Path, sha256: str, licence: str, size: int | None) -> Domain:
  """Loads one domain of a bundle.

  What was read, decoded and resized is kept for the next who asks in this process, since the
  domains of a benchmark are loaded in many pairs: an array that must not be written to.

  Args:
    name: Of the domain; with `/all` at its end every image trains and tests.
    part: What the bundle calls it.
    path: The bundle: an npz file with `jpeg` uint8 (the files one after the other), `offsets` int64
      `[n + 1]`, `label`, `domain` and `filename` `[n]`, `domain_names` and `class_names`.
    sha256: Of the file.
    licence: The terms of use.
    size: Height and width to resize to (bilinearly, with a wider filter where images shrink).

  Returns:
    The domain, uint8 images `[n, height, width, 3]`: in memory, or decoded on demand where they
    take more than 1 GiB.

  Raises:
    UserError: If the file is not the original.
  """
  place = (path, path.stat().st_mtime_ns, sha256, name.removesuffix(unsplit.ALL))
  arrays = _read(*place[:3])
  labels = arrays['label'][_rows(arrays, part, path)]
  classes = tuple(map(str, arrays['class_names']))
  return unsplit.domain(name, _decoded(*place, part, size), labels, classes, licence)


@functools.lru_cache(maxsize=2)
def _read(path: Path, changed: int, sha256: str) -> dict[str, np.ndarray]:
  """Returns the arrays of a bundle whose bytes are known to be the original's."""
  del changed  # Only another file's bytes must be read again.
  files.verify(path.read_bytes(), sha256, str(path))
  arrays = files.read_arrays(path)
  if missing := [key for key in _ARRAYS if key not in arrays]:
    raise UserError(f'{path} has no array {missing[0]}')
  return arrays


@functools.lru_cache(maxsize=4)
def _decoded(
  path: Path, changed: int, sha256: str, name: str, part: str, size: int | None
) -> Inputs:
  """Returns the images of one domain."""
  arrays = _read(path, changed, sha256)
  images = decoded(Images(arrays, _rows(arrays, part, path), name), size, 3)
  if isinstance(images, np.ndarray):
    images.setflags(write=False)
  return images


def _rows(arrays: dict[str, np.ndarray], part: str, path: Path) -> np.ndarray:
  names = arrays['domain_names'].tolist()
  if part not in names:
    raise UserError(f'{path} has no domain {part}, it has {", ".join(names)}')
  return np.flatnonzero(arrays['domain'] == names.index(part))
