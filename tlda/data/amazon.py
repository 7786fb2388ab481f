"""Amazon reviews of four kinds of products: is a review positive?

Blitzer, Dredze, Pereira: *Biographies, Bollywood, Boom-boxes and Blenders* (ACL 2007), as counts of
the 5,000 most frequent words and pairs of words (Chen et al., ICML 2012), in the splits of Ganin et
al. (JMLR 17, 2016).
"""

import numpy as np

from tlda.data import files
from tlda.data.domains import Domain, Split
from tlda.errors import UserError

DOMAINS = ('books', 'dvd', 'electronics', 'kitchen')
NAMES = tuple(f'amazon/{domain}' for domain in DOMAINS)
CLASSES = ('negative', 'positive')
LICENCE = 'data: none stated (Blitzer et al., 2007); repository: BSD 2-clause'

_COLUMNS = 5000
_FILE = 'amazon_reviews/amazon_bow5000.npz'
_REPOSITORY = 'https://github.com/GRAAL-Research/domain_adversarial_neural_network'
# sha256 of the arrays: counts, column indices, starts of rows, labels.
_SHA256 = {
  'books_train': (
    'e1bdb32c9bdbdb3de2614bfea97087d289d233b1b4295554837c14dd6d61a11c',
    'b80030d02b852978e356ef8e97d98c9d2cb7fe01e3d96d46709a004e15655620',
    '85eb8e8c88ba301124ff2ecb9f5b62eea7c6d53bebcc512f98262d4a10592515',
    '70846c7e11dca27c10af4a47766b44696c3bad10e11d96c132738f3e485ee0d4',
  ),
  'books_test': (
    '040975c30fe09fab08d9e01afa72d24f918ebb3c220ce71bba8421304fa82b93',
    'bee0f684293d6d419c6e49e1da79bceaa72e80574e17f9f6eab2803f769316a2',
    '687a99c773165c503a1a8ce353fac6c05538960e3c56202218491f6ace3695b0',
    'e2e957cb061d6b4382e7190f122327bb088d17b4dbaf29f48b2062a4cd1bd549',
  ),
  'dvd_train': (
    'a3535df76d2a1b2a05e1906576ff0e56b99b212d4b1761053ffbd243f2080ede',
    'fb7b96314571329bb341555a66e5c2fdec302d7aea41eae9240e3f82cfc3a7bf',
    '479dc939e9fb6f8f705126be01a36f8b0a806049d93b4e7b87f4b0738b054c59',
    '9a128bd19d9b0160915e13f58ec8957489d2ebd3b510067efda6eba92c7f4f38',
  ),
  'dvd_test': (
    '0eec0825e9210a603500fed661edbfc9728284ce9df05d7dc94b5161e2f0309e',
    '9733f2eaa206beeaf1c578136c71ee0d8c94d9c872346713222ad1ea35a0795a',
    'cdf4d657f2f550eff896ceb3ba411e2fd472e265cb5da7e60e3d52149a325c1b',
    'ebacc653bdcad72b72074da5c00d8d056370efddaa32a8ede74fc660a0e3cfa5',
  ),
  'electronics_train': (
    '42267a30f47e6f1f441cd40f6dd368b236ae360dfc1f6214362bd7ac830b8ef6',
    'd18af63eca1dc49291d6cea7e3a55332473b90bc444f87cf1b83ab59defa7370',
    '3816e46db22a5056f680e8ff1cfec8e4970e06bd59c47a007c53c2e62b87ae5b',
    'edab6bdb825cfb16fb0e9c0027f54f1ab26a057a17a0dbad68bb3c03db6fa6c7',
  ),
  'electronics_test': (
    'bed9a0528f6e2b3ce9d12f88d1475bb503c7daaac4b9f421eb00b37cc03ade5a',
    '0d2329dece98e16d3f93a2fe0035fe2f6db6856d8fb9b67d5633df02ed1781a2',
    'f2247136aa513d6664caa10cd4b6943ff860ca70e23426d29827bcdab094ab4a',
    '78d670b8fa18cc5ae76b5f809fe8df08640a1c6f7e91055d6d4d17a5bf91799e',
  ),
  'kitchen_train': (
    '070723909374ea4ba6b4e73c6f699fcb078a9dc52c7d92b83023c4b14a0e71d3',
    '0089b095b023d2b5bbf9377a4cc20c8b3f331e417281ee7c6af857d877e0e2cd',
    '1865e4a60959a48bee8e9c1dde04e82d20de9a60acdbdf0f548797bbd9553cda',
    'e04298cb662980e6d7c5ab2b6e50477a41dab5a4109884334c33d6a462035947',
  ),
  'kitchen_test': (
    '31fc358636757347f3bf261a7ad5878cd4d425606209a50579df88eff63caf26',
    'f67d29bbf3beee34b0ce99d69d254adf34ecead5afd562a948369e85bdfa7525',
    '691298b49c32e98164c7586189b1dfbf71d53c09793cbd6e563f2106604859df',
    '280148b997a4a2c18e19255e2d93836cab17b28125f86d540ecfe87e93ed691b',
  ),
}


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the reviews of one kind of products: 2,000 to train on, and 3,586 to 5,945 to test with.

  Args:
    name: One of `NAMES`.
    data_dir: Holds `amazon_reviews/amazon_bow5000.npz`; None: TLDA_DATA_DIR.
    image_size: None; these are no images.

  Returns:
    The domain, float32 counts `[n, 5000]`.

  Raises:
    UserError: If the file is missing, corrupt, or not the original; or an image size is given.
  """
  if image_size is not None:
    raise UserError(f'{name} holds vectors, which have no image size')
  how = f'make it of the svmlight files of {_REPOSITORY}; licence: {LICENCE}'
  path = files.find(name, _FILE, data_dir, how)
  arrays = files.read_arrays(path)
  domain = name.partition('/')[2]
  train, test = (_split(arrays, f'{domain}_{split}', name, path) for split in ('train', 'test'))
  return Domain(name, train, test, CLASSES, LICENCE)


def _split(arrays: dict[str, np.ndarray], key: str, name: str, path: object) -> Split:
  """Makes one split dense, once its bytes are known to be the original's."""
  parts = [f'{key}_{part}' for part in ('counts', 'indices', 'indptr', 'label')]
  if missing := [part for part in parts if part not in arrays]:
    raise UserError(f'{name}: {path} has no array {missing[0]}')
  for part, sha256 in zip(parts, _SHA256[key], strict=True):
    files.verify(arrays[part], sha256, f'{name}: {part} of {path}')
  counts, indices, starts, labels = (arrays[part] for part in parts)
  dense = np.zeros((len(labels), _COLUMNS), np.float32)
  dense[np.repeat(np.arange(len(labels)), np.diff(starts)), indices] = counts
  return Split(dense, labels.astype(np.int32))
