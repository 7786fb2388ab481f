"""SVHN: digits of house numbers from street views.

Netzer, Wang, Coates, Bissacco, Wu, Ng: *Reading Digits in Natural Images with Unsupervised Feature
Learning* (NIPS workshop 2011), in the format of single digits.
"""

from pathlib import Path

import numpy as np

from tlda.data import files
from tlda.data.domains import Domain, Split
from tlda.data.images import resize
from tlda.data.mnist import CLASSES
from tlda.errors import UserError

LICENCE = 'for non-commercial use only (Netzer et al., 2011)'
HOMEPAGE = 'http://ufldl.stanford.edu/housenumbers/'


def load(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads SVHN: 73,257 and 26,032 coloured digits of 32x32, without the set `extra`.

  Args:
    data_dir: Holds `svhn/{train,test}_32x32.mat`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; None: 32.

  Returns:
    The domain, images `[n, 32, 32, 3]`; the label 10 of the files is digit 0.

  Raises:
    UserError: If a file is missing, or holds no such digits.
  """
  return Domain(
    'svhn', _read('train', data_dir, image_size), _read('test', data_dir, image_size), CLASSES,
    LICENCE,
  )  # fmt: skip


def _read(split: str, data_dir: files.DataDir, image_size: int | None) -> Split:
  relative = f'svhn/{split}_32x32.mat'
  how = f'get {split}_32x32.mat from {HOMEPAGE}; licence: {LICENCE}'
  path = files.find('svhn', relative, data_dir, how)
  images, digits = _arrays(path)
  columns = images.ndim == 4 and images.shape[:3] == (32, 32, 3) and images.dtype == np.uint8
  if not columns or digits.size != images.shape[3] or digits.dtype.kind not in 'iu':
    raise UserError(
      f'svhn: {path} has X {images.dtype} {images.shape} and y {digits.dtype} {digits.shape}; '
      'expected X uint8 (32, 32, 3, n) and y n integers'
    )
  digits = digits.reshape(-1)
  if digits.size == 0 or digits.min() < 1 or digits.max() > 10:
    raise UserError(f'svhn: the labels of {path} are not 1 to 10')
  inputs = np.ascontiguousarray(images.transpose(3, 0, 1, 2))
  return Split(resize(inputs, image_size), (digits % 10).astype(np.int32))


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
  """Returns X and y of a MATLAB file; a format that holds numbers and text, and runs nothing."""
  import scipy.io  # Late: only this domain needs it.

  try:
    found = scipy.io.loadmat(path, variable_names=('X', 'y'))
    return found['X'], found['y']
  except Exception as error:  # Broken bytes raise many kinds in SciPy and zlib.
    raise UserError(f'svhn: {path} is not a MATLAB file with X and y ({error})') from error
