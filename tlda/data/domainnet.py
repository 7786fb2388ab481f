"""DomainNet: 345 kinds of things, drawn, painted and photographed.

Peng, Bai, Xia, Huang, Saenko, Wang: *Moment Matching for Multi-Source Domain Adaptation* (ICCV
2019).
"""

from pathlib import Path

from tlda.data import files, listed
from tlda.data.domains import Domain

DOMAINS = ('clipart', 'infograph', 'painting', 'quickdraw', 'real', 'sketch')
NAMES = tuple(f'domainnet/{domain}' for domain in DOMAINS)
CLASSES = tuple(Path(__file__).with_name('domainnet.txt').read_text().split())
LICENCE = 'non-commercial research and education (Peng et al., 2019)'
HOMEPAGE = 'https://ai.bu.edu/M3SDA/'


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the images of one domain, in the split of the authors.

  They are those that `domainnet/DOMAIN_train.txt` and `domainnet/DOMAIN_test.txt` name, with their
  labels, relative to `domainnet/`. A split may lack a class: there is no t-shirt among the training
  paintings of the cleaned lists, and no syringe among those to test with.

  Args:
    name: One of `NAMES`.
    data_dir: Holds the folder `domainnet`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed, for sizes differ.

  Returns:
    The domain, images `[n, image_size, image_size, 3]`, decoded on demand above 1 GiB.

  Raises:
    UserError: If a list is missing or names a file that is not there, or an image cannot be read.
  """
  domain = name.split('/')[1]
  how = (
    f'get {domain}.zip (unpacked), {domain}_train.txt and {domain}_test.txt from {HOMEPAGE}; '
    f'licence: {LICENCE}'
  )
  paths = [
    files.find(name, f'domainnet/{domain}_{split}.txt', data_dir, how)
    for split in ('train', 'test')
  ]
  parts = [listed.of_list(name, path, path.parent, CLASSES) for path in paths]
  return Domain(name, *(part.split(image_size) for part in parts), CLASSES, LICENCE)
