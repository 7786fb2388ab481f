"""Office-Home: 65 kinds of things from offices and homes, in art, clip art, shops and photographs.

Venkateswara, Eusebio, Chakraborty, Panchanathan: *Deep Hashing Network for Unsupervised Domain
Adaptation* (CVPR 2017).
"""

from tlda.data import files, listed, unsplit
from tlda.data.domains import Domain

FOLDERS = {'art': 'Art', 'clipart': 'Clipart', 'product': 'Product', 'real_world': 'Real World'}
NAMES = unsplit.variants(f'office_home/{domain}' for domain in FOLDERS)
CLASSES = (
  *('Alarm_Clock', 'Backpack', 'Batteries', 'Bed', 'Bike', 'Bottle', 'Bucket', 'Calculator'),
  *('Calendar', 'Candles', 'Chair', 'Clipboards', 'Computer', 'Couch', 'Curtains', 'Desk_Lamp'),
  *('Drill', 'Eraser', 'Exit_Sign', 'Fan', 'File_Cabinet', 'Flipflops', 'Flowers', 'Folder'),
  *('Fork', 'Glasses', 'Hammer', 'Helmet', 'Kettle', 'Keyboard', 'Knives', 'Lamp_Shade', 'Laptop'),
  *('Marker', 'Monitor', 'Mop', 'Mouse', 'Mug', 'Notebook', 'Oven', 'Pan', 'Paper_Clip', 'Pen'),
  *('Pencil', 'Postit_Notes', 'Printer', 'Push_Pin', 'Radio', 'Refrigerator', 'Ruler', 'Scissors'),
  *('Screwdriver', 'Shelf', 'Sink', 'Sneakers', 'Soda', 'Speaker', 'Spoon', 'Table', 'Telephone'),
  *('ToothBrush', 'Toys', 'Trash_Can', 'TV', 'Webcam'),
)
LICENCE = 'non-commercial research and education (Venkateswara et al., 2017)'
HOMEPAGE = 'http://hemanthdv.org/OfficeHome-Dataset/'


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the images of one style, below `office_home/STYLE/CLASS/`.

  They come without a test set: every fifth image of each class, in order of name, is held out. With
  `/all` every image trains and tests, as in the papers.

  Args:
    name: One of `NAMES`.
    data_dir: Holds the folder `office_home`; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed, for sizes differ.

  Returns:
    The domain, images `[n, image_size, image_size, 3]`, decoded on demand above 1 GiB.

  Raises:
    UserError: If the folder or one of its classes is missing, or an image cannot be read.
  """
  folder = FOLDERS[name.split('/')[1]]
  how = (
    f'unpack the archive of {HOMEPAGE} so that {", ".join(FOLDERS.values())} lie in office_home/; '
    f'licence: {LICENCE}'
  )
  root = files.find(name, f'office_home/{folder}', data_dir, how)
  images = listed.of_folders(name, root, CLASSES)
  return unsplit.domain(name, images.inputs(image_size), images.labels, CLASSES, LICENCE)
