"""Office-Caltech10: ten classes of things, from a shop, a camera, a webcam, and Caltech-256.

Gong, Shi, Sha, Grauman: *Geodesic Flow Kernel for Unsupervised Domain Adaptation* (CVPR 2012), of
images of Saenko et al. (ECCV 2010) and Griffin et al. (2007). As images, as the bags of 800 SURF
words of the paper, and as GoogLeNet's 1,024 features.
"""

from pathlib import Path

import numpy as np

from tlda.data import bundle, files, unsplit
from tlda.data.domains import Domain
from tlda.errors import UserError

DOMAINS = ('amazon', 'caltech10', 'dslr', 'webcam')
IMAGES = unsplit.variants(f'office_caltech/{domain}' for domain in DOMAINS)
SURF = unsplit.variants(f'office_caltech/surf/{domain}' for domain in DOMAINS)
GOOGLENET = unsplit.variants(
  f'office_caltech/googlenet/{domain}' for domain in DOMAINS if domain != 'caltech10'
)
LICENCE = 'none stated (Gong et al., 2012; Saenko et al., 2010; Griffin et al., 2007)'

_HOW = f'this file comes with the benchmark data of this project; licence: {LICENCE}'
_FOLDER = 'office_caltech10'
_IMAGES = 'images_128_jpeg.npz'
_IMAGES_SHA256 = '97a0fd473f34423c5aae1955f439c973192e91b50374319d566ac1744ac166c2'
_SURF = 'surf800.npz'
_SURF_SHA256 = 'aa900390670c0bb5494e464b98af648811de0ecff8bd7855a8d28ce7cd934a26'
_GOOGLENET = 'googlenet1024_no_caltech.npz'
_GOOGLENET_SHA256 = '950a53c5e20c64ecec8d53db558def96edd64ad602acd4ae7126289e71990f8d'


def images(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the images of one domain: 958 of amazon, 1,123 of caltech10, 157 of dslr, 295 of webcam.

  They come without a test set: every fifth image of each class is held out. With `/all` every image
  trains and tests, as papers do that adapt to the unlabelled images they are measured on; a number
  that is fine-tuned with these labels would mean nothing.

  Args:
    name: One of `IMAGES`.
    data_dir: Holds `office_caltech10/images_128_jpeg.npz`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; None: 128.

  Returns:
    The domain, images `[n, 128, 128, 3]`; their aspect ratios were lost when the file was made.

  Raises:
    UserError: If the file is missing or not the original.
  """
  path = files.find(name, f'{_FOLDER}/{_IMAGES}', data_dir, _HOW)
  return bundle.load(name, name.split('/')[1], path, _IMAGES_SHA256, LICENCE, image_size)


def surf(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the bags of SURF words of one domain, prepared as is usual.

  Each row is divided by its sum; then each column has its mean over the domain (labels do not
  count, so that the held-out rows do) subtracted and is divided by its sample standard deviation,
  unless it is constant. Splits are those of `images`.

  Args:
    name: One of `SURF`.
    data_dir: Holds `office_caltech10/surf800.npz`; None: TLDA_DATA_DIR.
    image_size: None; these are no images.

  Returns:
    The domain, float32 vectors `[n, 800]`.

  Raises:
    UserError: If the file is missing or not the original; or an image size is given.
  """
  arrays = _vectors(name, data_dir, image_size, _SURF, _SURF_SHA256)
  part = name.split('/')[2]
  inputs = standardized(arrays[f'{part}_surf']).astype(np.float32)
  classes = tuple(map(str, arrays['class_names']))
  return unsplit.domain(name, inputs, arrays[f'{part}_label'], classes, LICENCE)


def googlenet(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the last features of a GoogLeNet, trained on ImageNet, of one domain but caltech10.

  Args:
    name: One of `GOOGLENET`.
    data_dir: Holds `office_caltech10/googlenet1024_no_caltech.npz`; None: TLDA_DATA_DIR.
    image_size: None; these are no images.

  Returns:
    The domain, float32 vectors `[n, 1024]`, split as `images` are.

  Raises:
    UserError: If the file is missing or not the original; or an image size is given.
  """
  arrays = _vectors(name, data_dir, image_size, _GOOGLENET, _GOOGLENET_SHA256)
  part = name.split('/')[2]
  classes = tuple(map(str, arrays['class_names']))
  return unsplit.domain(name, arrays[f'{part}_feat'], arrays[f'{part}_label'], classes, LICENCE)


def standardized(counts: np.ndarray) -> np.ndarray:
  """Makes columns of shares comparable.

  Args:
    counts: `[n, d]`, at least 0, each row with a sum above 0.

  Returns:
    float64 `[n, d]`: rows divided by their sums, then columns with mean 0 and sample standard
    deviation 1; of a constant column only the mean is subtracted.
  """
  shares = counts / counts.sum(axis=1, keepdims=True, dtype=np.float64)
  deviations = shares.std(axis=0, ddof=1)
  constant = shares.max(axis=0) == shares.min(axis=0)
  return (shares - shares.mean(axis=0)) / np.where(constant, 1.0, deviations)


def _vectors(
  name: str, data_dir: files.DataDir, image_size: int | None, file: str, sha256: str
) -> dict[str, np.ndarray]:
  """Returns the arrays of a file, once its bytes are known to be the original's."""
  if image_size is not None:
    raise UserError(f'{name} holds vectors, which have no image size')
  path: Path = files.find(name, f'{_FOLDER}/{file}', data_dir, _HOW)
  files.verify(path.read_bytes(), sha256, f'{name}: {path}')
  return files.read_arrays(path)
