"""Traffic signs of 43 classes: synthetic ones (`syn_signs`), and photographs (`gtsrb`).

Moiseev, Konev, Chigorin, Konushin: *Evaluation of Traffic Sign Recognition Methods Trained on
Synthetically Generated Data* (ACIVS 2013). Stallkamp, Schlipsing, Salmen, Igel: *The German Traffic
Sign Recognition Benchmark* (IJCNN 2011).
"""

import csv
from pathlib import Path

import numpy as np

from tlda.data import files, listed, unsplit
from tlda.data.domains import Domain
from tlda.data.listed import Listed
from tlda.errors import UserError

SYN_SIGNS = unsplit.variants(['syn_signs'])
# As the folders of GTSRB are called; the numbers of synthetic signs mean the same.
CLASSES = tuple(f'{number:05}' for number in range(43))
SYN_SIGNS_LICENCE = 'none stated (Moiseev et al., 2013)'
SYN_SIGNS_HOMEPAGE = 'http://graphics.cs.msu.ru/en/node/1337'
GTSRB_LICENCE = 'none stated (Stallkamp et al., 2011)'
GTSRB_HOMEPAGE = 'https://benchmark.ini.rub.de/gtsrb_dataset.html'


def syn_signs(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads synthetic signs, those that `syn_signs/synthetic_data/train_labelling.txt` names.

  They come without a test set: every fifth image of each class, in that order, is held out. With
  `/all` every image trains and tests.

  Args:
    name: One of `SYN_SIGNS`.
    data_dir: Holds the folder `syn_signs`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, height, width, 3]`, decoded on demand above 1 GiB.

  Raises:
    UserError: If the list is missing, names a file that is not there or no image of a class, or an
      image cannot be read.
  """
  how = (
    f'unpack synthetic_data.zip of {SYN_SIGNS_HOMEPAGE} in syn_signs/; licence: {SYN_SIGNS_LICENCE}'
  )
  path = files.find(name, 'syn_signs/synthetic_data/train_labelling.txt', data_dir, how)
  images = listed.complete(name, listed.of_list(name, path, path.parent, CLASSES), CLASSES)
  return unsplit.domain(name, images.inputs(image_size), images.labels, CLASSES, SYN_SIGNS_LICENCE)


def gtsrb(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads GTSRB: 39,209 and 12,630 photographs, the sign and some border of it, not cut further.

  Args:
    data_dir: Holds `gtsrb/GTSRB/Final_Training/Images/` with folders `00000` to `00042`,
      `gtsrb/GTSRB/Final_Test/Images/` and `gtsrb/GT-final_test.csv`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed, for sizes differ.

  Returns:
    The domain, images `[n, image_size, image_size, 3]`.

  Raises:
    UserError: If a table is missing or names a file that is not there, or an image cannot be read.
  """
  how = (
    'unpack GTSRB_Final_Training_Images.zip, GTSRB_Final_Test_Images.zip and '
    f'GTSRB_Final_Test_GT.zip of {GTSRB_HOMEPAGE} in gtsrb/; licence: {GTSRB_LICENCE}'
  )
  find = lambda relative: files.find('gtsrb', f'gtsrb/{relative}', data_dir, how)
  folder = 'GTSRB/Final_Training/Images'
  tables = [find(f'{folder}/{word}/GT-{word}.csv') for word in CLASSES]
  parts = [_table(path, path.parent) for path in tables]
  train = Listed(
    [path for part in parts for path in part.paths], np.concatenate([x.labels for x in parts])
  )
  test = _table(find('GT-final_test.csv'), find('GTSRB/Final_Test/Images'))
  splits = (listed.complete('gtsrb', x, CLASSES).split(image_size) for x in (train, test))
  return Domain('gtsrb', *splits, CLASSES, GTSRB_LICENCE)


def _table(path: Path, folder: Path) -> Listed:
  """Lists the images of a table that names them under `Filename`, and their `ClassId`."""
  try:
    with open(path, newline='') as file:
      rows = [(row['Filename'], row['ClassId']) for row in csv.DictReader(file, delimiter=';')]
  except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
    raise UserError(f'gtsrb: {path} is not a table with Filename and ClassId ({error})') from error
  named = [(folder / (file or ''), label or '') for file, label in rows]
  return listed.checked('gtsrb', path, named, CLASSES)
