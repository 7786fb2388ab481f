"""PACS: photographs, paintings, cartoons and sketches of seven classes.

Li, Yang, Song, Hospedales: *Deeper, Broader and Artier Domain Generalization* (ICCV 2017). Here the
images have 96x96 pixels, of 227x227.
"""

from tlda.data import bundle, files, unsplit
from tlda.data.domains import Domain

DOMAINS = ('art_painting', 'cartoon', 'photo', 'sketch')
NAMES = unsplit.variants(f'pacs/{domain}' for domain in DOMAINS)
LICENCE = 'none stated (Li et al., 2017)'

_FILE = 'pacs/pacs_96_jpeg.npz'
_SHA256 = '51a61b750202fb3dd1d9a0a5802eb250ec03b6b522120e8991aff83d20a42ae4'


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the images of one style: 2,048 paintings, 2,344 cartoons, 1,670 photos, 3,929 sketches.

  They come without a test set: every fifth image of each class is held out. With `/all` every image
  trains and tests, as where methods are compared that adapt to the unlabelled images they are
  measured on; a number that is fine-tuned with these labels would mean nothing.

  Args:
    name: One of `NAMES`.
    data_dir: Holds `pacs/pacs_96_jpeg.npz`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; None: 96.

  Returns:
    The domain, images `[n, 96, 96, 3]`.

  Raises:
    UserError: If the file is missing or not the original.
  """
  how = f'this file comes with the benchmark data of this project; licence: {LICENCE}'
  path = files.find(name, _FILE, data_dir, how)
  return bundle.load(name, name.split('/')[1], path, _SHA256, LICENCE, image_size)
