"""VisDA-2017, classification: renderings of 12 kinds of objects, and photographs of them.

Peng, Usman, Kaushik, Hoffman, Wang, Saenko: *VisDA: The Visual Domain Adaptation Challenge*
(arXiv 1710.06924, 2017).
"""

from tlda.data import files, listed, unsplit
from tlda.data.domains import Domain

DOMAINS = ('train', 'validation')
NAMES = unsplit.variants(f'visda2017/{domain}' for domain in DOMAINS)
CLASSES = (
  *('aeroplane', 'bicycle', 'bus', 'car', 'horse', 'knife', 'motorcycle', 'person', 'plant'),
  *('skateboard', 'train', 'truck'),
)
LICENCE = 'none stated (Peng et al., 2017)'
HOMEPAGE = 'https://github.com/VisionLearningGroup/taskcv-2017-public/tree/master/classification'


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the renderings (`visda2017/train`) or the photographs (`visda2017/validation`).

  They are those that `visda2017/DOMAIN/image_list.txt` names, with their labels, and come without a
  test set: every fifth image of each class, in that order, is held out. With `/all` every image
  trains and tests, as in the papers, whose number is the mean of the 12 accuracies.

  Args:
    name: One of `NAMES`.
    data_dir: Holds the folder `visda2017`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed, for sizes differ.

  Returns:
    The domain, images `[n, image_size, image_size, 3]`, decoded on demand above 1 GiB.

  Raises:
    UserError: If the list is missing, names a file that is not there or no image of a class, or an
      image cannot be read.
  """
  relative = f'visda2017/{name.split("/")[1]}/image_list.txt'
  how = f'unpack train.tar and validation.tar of {HOMEPAGE} in visda2017/; licence: {LICENCE}'
  path = files.find(name, relative, data_dir, how)
  images = listed.complete(name, listed.of_list(name, path, path.parent, CLASSES), CLASSES)
  return unsplit.domain(name, images.inputs(image_size), images.labels, CLASSES, LICENCE)
