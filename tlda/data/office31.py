"""Office-31: 31 kinds of things on a desk, from a shop, a good camera, and a webcam.

Saenko, Kulis, Fritz, Darrell: *Adapting Visual Category Models to New Domains* (ECCV 2010).
"""

from tlda.data import files, listed, unsplit
from tlda.data.domains import Domain

DOMAINS = ('amazon', 'dslr', 'webcam')
NAMES = unsplit.variants(f'office31/{domain}' for domain in DOMAINS)
CLASSES = (
  *('back_pack', 'bike', 'bike_helmet', 'bookcase', 'bottle', 'calculator', 'desk_chair'),
  *('desk_lamp', 'desktop_computer', 'file_cabinet', 'headphones', 'keyboard', 'laptop_computer'),
  *('letter_tray', 'mobile_phone', 'monitor', 'mouse', 'mug', 'paper_notebook', 'pen', 'phone'),
  *('printer', 'projector', 'punchers', 'ring_binder', 'ruler', 'scissors', 'speaker', 'stapler'),
  *('tape_dispenser', 'trash_can'),
)
LICENCE = 'none stated (Saenko et al., 2010)'
HOMEPAGE = 'https://people.eecs.berkeley.edu/~jhoffman/domainadapt/'


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the images of one domain, below `office31/DOMAIN/images/CLASS/`.

  They come without a test set: every fifth image of each class, in order of name, is held out. With
  `/all` every image trains and tests, as in the papers.

  Args:
    name: One of `NAMES`.
    data_dir: Holds the folder `office31`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed, for sizes differ.

  Returns:
    The domain, images `[n, image_size, image_size, 3]`, decoded on demand above 1 GiB.

  Raises:
    UserError: If the folder or one of its classes is missing, or an image cannot be read.
  """
  relative = f'office31/{name.split("/")[1]}/images'
  how = f'unpack the archive of {HOMEPAGE} into office31/; licence: {LICENCE}'
  images = listed.of_folders(name, files.find(name, relative, data_dir, how), CLASSES)
  return unsplit.domain(name, images.inputs(image_size), images.labels, CLASSES, LICENCE)
