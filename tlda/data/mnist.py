"""MNIST: handwritten digits (LeCun et al., 1998)."""

import numpy as np

from tlda.data import files
from tlda.data.domains import Domain, Split
from tlda.data.images import resize

CLASSES = tuple('0123456789')
LICENCE = 'CC BY-SA 3.0 (Yann LeCun, Corinna Cortes, Christopher J.C. Burges)'

# sha256 of the original files' contents, uncompressed: images, labels.
_SHA256 = {
  'train': (
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  ),
  'test': (
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ),
}


def load(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads MNIST: 60,000 and 10,000 grey digits of 28x28.

  Args:
    data_dir: Holds `mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, 28, 28, 1]`.

  Raises:
    UserError: If a file is missing, corrupt, or not the original.
  """
  splits = []
  for split in _SHA256:
    inputs = resize(images(split, data_dir)[..., None], image_size)
    splits.append(Split(inputs, labels(split, data_dir)))
  return Domain('mnist', *splits, CLASSES, LICENCE)


def images(split: str, data_dir: files.DataDir = None) -> np.ndarray:
  """Reads the images of 'train' or 'test', uint8 `[n, 28, 28]`."""
  header = 16
  return _read(split, 0, data_dir)[header:].reshape(-1, 28, 28)


def labels(split: str, data_dir: files.DataDir = None) -> np.ndarray:
  """Reads the labels of 'train' or 'test', int32 `[n]`."""
  header = 8
  return _read(split, 1, data_dir)[header:].astype(np.int32)


def _read(split: str, which: int, data_dir: files.DataDir) -> np.ndarray:
  prefix = 'train' if split == 'train' else 't10k'
  kind = ('images-idx3', 'labels-idx1')[which]
  relative = f'mnist/{prefix}-{kind}-ubyte.gz'
  how = f'get it from https://storage.googleapis.com/cvdf-datasets/{relative}; licence: {LICENCE}'
  path = files.find('mnist', relative, data_dir, how)
  content = files.read_gzip(path)
  files.verify(content, _SHA256[split][which], f'mnist: {path}')
  return np.frombuffer(content, np.uint8)
