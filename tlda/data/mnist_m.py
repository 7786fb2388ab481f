"""MNIST-M as it was published: MNIST digits on patches of photographs (Ganin et al., 2016)."""

import numpy as np

from tlda.data import files, mnist
from tlda.data.domains import Domain, Split
from tlda.data.images import Files, opened, resize

BSDS_LICENCE = 'non-commercial research and education (Arbelaez et al., 2011)'
LICENCE = f'none stated; made of MNIST, {mnist.LICENCE}, and BSDS500, {BSDS_LICENCE}'

_RECIPE_SHA256 = '2928a0de0f66c0c8d016b234d4d7b47ffc34c5fc3c2b37f681eee6545266dd3f'
# sha256 of the published 32x32 images, cropped to 28x28, in C order.
_SHA256 = {
  'train': '7ea10580b2ba73a424d73c618000011af38c19bb583f30faa310ef69a5d08f26',
  'test': '3bde75907271a9cc6a8c9d68cc8abead521ccfb55c138713dc0646440988c3ef',
}


def load(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Rebuilds MNIST-M bit for bit: 59,001 and 9,001 colour digits, the middle 28x28 of their 32x32.

  Every non-zero pixel of a digit inverts the patch of a BSDS500 photograph behind it. (The paper
  describes the absolute difference of the two; this is what was released with it.) A recipe says
  which patch lies behind which digit.

  Args:
    data_dir: Holds `mnist/`, `mnist_m/mnist_m_recipe.npz` and `bsds500/train/*.jpg`; None:
      TLDA_DATA_DIR.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, 28, 28, 3]`.

  Raises:
    UserError: If a file is missing, corrupt, or not the original, or if this machine's JPEG decoder
      makes other pixels of the photographs.
  """
  how = f'this recipe comes with the benchmark data of this project; licence: {LICENCE}'
  path = files.find('mnist_m', 'mnist_m/mnist_m_recipe.npz', data_dir, how)
  files.verify(path.read_bytes(), _RECIPE_SHA256, f'mnist_m: {path}')
  recipe = files.read_arrays(path)
  photographs = _photographs(recipe['bsds_train_names'], data_dir)
  splits = []
  for split, sha256 in _SHA256.items():
    labels = recipe[f'{split}_label'].astype(np.int32)
    masks = mnist.images(split, data_dir)[: len(labels)] > 0
    # The corners are those of 32x32 patches: the middle begins two pixels inside.
    corners = [recipe[f'{split}_{axis}'].astype(int) + 2 for axis in ('row', 'col')]
    images = invert(masks, photographs, recipe[f'{split}_image'], *corners)
    files.verify(images, sha256, f'mnist_m: the rebuilt {split} set')
    splits.append(Split(resize(images, image_size), labels))
  return Domain('mnist_m', *splits, mnist.CLASSES, LICENCE)


def invert(
  masks: np.ndarray,
  photographs: list[np.ndarray],
  which: np.ndarray,
  rows: np.ndarray,
  columns: np.ndarray,
) -> np.ndarray:
  """Cuts patches out of photographs and inverts them under the digits.

  Args:
    masks: bool `[n, height, width]`, true where there is ink.
    photographs: uint8 `[height, width, 3]` each.
    which: int `[n]`, the photograph behind each digit.
    rows: int `[n]`, the top row of each patch.
    columns: int `[n]`, the left column of each patch.

  Returns:
    uint8 `[n, height, width, 3]`.
  """
  images = np.empty((*masks.shape, 3), np.uint8)
  for number, photograph in enumerate(photographs):
    chosen = np.flatnonzero(which == number)
    windows = np.lib.stride_tricks.sliding_window_view(photograph, masks.shape[1:], (0, 1))
    patches = windows[rows[chosen], columns[chosen]].transpose(0, 2, 3, 1)
    images[chosen] = np.where(masks[chosen, ..., None], 255 - patches, patches)
  return images


def _photographs(names: np.ndarray, data_dir: files.DataDir) -> list[np.ndarray]:
  """Reads the training photographs of BSDS500, uint8 `[height, width, 3]` each."""
  how = (
    'get the train images of BSDS500 from '
    'https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html; '
    f'licence: {BSDS_LICENCE}'
  )
  records = Files([files.find('mnist_m', f'bsds500/train/{n}', data_dir, how) for n in names])
  photographs = []
  for index in range(len(records)):
    with opened(records, index) as picture:
      photographs.append(np.asarray(picture.convert('RGB')))
  return photographs
