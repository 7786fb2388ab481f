"""Amazon reviews of four kinds of products as they were written: is a review positive?

Blitzer, Dredze, Pereira: *Biographies, Bollywood, Boom-boxes and Blenders* (ACL 2007). These are
the reviews that `amazon` has as bags of words, in another split.
"""

import json

import numpy as np

from tlda.data import amazon, files, unsplit
from tlda.data.domains import Domain
from tlda.errors import UserError

NAMES = unsplit.variants(f'amazon_text/{domain}' for domain in amazon.DOMAINS)
LICENCE = 'none stated (Blitzer et al., 2007)'

_SHA256 = {
  'books': 'c256b07213acb2a2598e0924a2845f5fc78343c42794614818dd582281279a5f',
  'dvd': 'ae9a2ce7ddec4cafaed6322f9b610b566bc0d8eb37c3dc1ce7ebcd120d7b5b37',
  'electronics': '8b190bd4a28722828f5297e18458c49feb7c50a0d06984b3e0f0fd72a49f5055',
  'kitchen': 'edb8bd65e204f140cef755f8aea3ae21d9a9a553fb30b12e730177c18489559f',
}


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the reviews of one kind of products: 1,000 negative ones (1 or 2 stars of 5), 1,000 not.

  A review is its title and its text, with a line break between them. Every fifth one of each class
  is held out to test with; with `/all` every review trains and tests.

  Args:
    name: One of `NAMES`.
    data_dir: Holds `amazon_reviews/DOMAIN.jsonl.gz`; None: TLDA_DATA_DIR.
    image_size: None; these are no images.

  Returns:
    The domain, texts `[n]`: `tlda.data.text.tokenize` makes of them what a network reads.

  Raises:
    UserError: If the file is missing or not the original; or an image size is given.
  """
  if image_size is not None:
    raise UserError(f'{name} holds texts, which have no image size')
  part = name.split('/')[1]
  how = f'this file comes with the benchmark data of this project; licence: {LICENCE}'
  path = files.find(name, f'amazon_reviews/{part}.jsonl.gz', data_dir, how)
  files.verify(path.read_bytes(), _SHA256[part], f'{name}: {path}')
  # Not splitlines: what Unicode holds for a line break may be inside a review.
  reviews = [json.loads(line) for line in files.read_gzip(path).decode().strip().split('\n')]
  inputs = np.array(
    [f'{review["title"]}\n{review["text"]}' for review in reviews], np.dtypes.StringDType()
  )
  labels = np.array([review['label'] for review in reviews])
  return unsplit.domain(name, inputs, labels, amazon.CLASSES, LICENCE)
