"""USPS: digits from envelopes (LeCun et al., 1989), in the size of MNIST."""

import numpy as np

from tlda.data import files
from tlda.data.domains import Domain, Split
from tlda.data.images import resize
from tlda.data.mnist import CLASSES
from tlda.errors import UserError

LICENCE = 'none stated; "kindly made available by the neural network group at AT&T research labs"'

_HOMEPAGE = 'https://web.stanford.edu/~hastie/StatLearnSparsity_files/DATA/zipcode.html'
# sha256 of the arrays in C order: images (uint16 0..2000), labels (uint8).
_SHA256 = {
  'train': (
    '4cc10903414bb4be4b10f0203b73ceab02be2ac780faa3aafea3cfe226ec62fc',
    'ee5027fd47b76715ac18ca27e72fa1332bde98e0b8ce593b503bb2bdb6c03da0',
  ),
  'test': (
    'c8d20aa8f19bae84192211340054be91bc13731398616889e78aef4ce6d72f78',
    '0b8b792b8ca1c5c704fd9d5bbd1b261623a359e6c8c65b23db428257beea7800',
  ),
}


def load(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads USPS: 7,291 and 2,007 grey digits of 16x16, resized to 28x28.

  Values in [0, 1] are resized bilinearly in float32 (pixel centres at half-integers, as Pillow
  does), then `round(255 * value)` makes them uint8: at most 1/510 away from the exact value.

  Args:
    data_dir: Holds `usps/usps.npz`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to, straight from 16x16; None: 28.

  Returns:
    The domain, images `[n, 28, 28, 1]`.

  Raises:
    UserError: If the file is missing, corrupt, or not the original.
  """
  how = (
    'make it with scripts/prepare_datasets.py usps_npz of zip.train.gz and zip.test.gz '
    f'from {_HOMEPAGE}; licence: {LICENCE}'
  )
  path = files.find('usps', 'usps/usps.npz', data_dir, how)
  arrays = files.read_arrays(path)
  splits = []
  for split, hashes in _SHA256.items():
    names = (f'x_{split}_times2000', f'y_{split}')
    for name, sha256 in zip(names, hashes, strict=True):
      if name not in arrays:
        raise UserError(f'usps: {path} has no array {name}')
      files.verify(arrays[name], sha256, f'usps: {name} of {path}')
    values = arrays[names[0]].astype(np.float32)[..., None] / 2000
    inputs = np.rint(255 * resize(values, image_size or 28)).astype(np.uint8)
    splits.append(Split(inputs, arrays[names[1]].astype(np.int32)))
  return Domain('usps', *splits, CLASSES, LICENCE)
