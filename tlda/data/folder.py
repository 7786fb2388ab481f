"""Domains of image files in class folders: `folder:PATH`."""

from pathlib import Path

import numpy as np

from tlda.data import labels
from tlda.data.domains import Domain, Split
from tlda.data.images import Files, decoded
from tlda.errors import UserError

LICENCE = 'none stated'


def load(path: str, image_size: int | None = None) -> Domain:
  """Loads a folder of class folders with images, below `train/` and `test/` if it has both.

  Without these two, every fifth image of each class, in order of name, is held out to test with.
  Classes are in order of name. Images are read in colour, and decoded on demand if they would take
  more than 1 GiB. Files and folders whose names begin with a dot are left out.

  Args:
    path: The folder.
    image_size: Height and width to resize to; needed unless all images have one size.

  Returns:
    The domain `folder:PATH`.

  Raises:
    UserError: If there is no such folder, a class is empty or only in one of the splits, an image
      cannot be read, or sizes differ.
  """
  name, root = f'folder:{path}', Path(path).expanduser()
  if not root.is_dir():
    raise UserError(f'no such folder: {root}')
  if {'train', 'test'} <= {folder.name for folder in _visible(root)}:
    classes, train, train_labels = _listed(root / 'train')
    test_classes, test, test_labels = _listed(root / 'test')
    if classes != test_classes:
      odd = ', '.join(sorted(set(classes) ^ set(test_classes)))
      raise UserError(f'{name}: train and test have different class folders ({odd})')
  else:
    classes, paths, every = _listed(root)
    rows = labels.held_out(every, name)
    (train, train_labels), (test, test_labels) = (([paths[i] for i in r], every[r]) for r in rows)
  splits = [
    Split(decoded(Files(part), image_size, 3), part_labels)
    for part, part_labels in ((train, train_labels), (test, test_labels))
  ]
  if splits[0].inputs.shape[1:] != splits[1].inputs.shape[1:]:
    raise UserError(
      f'{name}: training images and test images have different sizes: '
      'give an image size to resize them to'
    )
  return Domain(name, *splits, classes, LICENCE)


def _listed(root: Path) -> tuple[tuple[str, ...], list[Path], np.ndarray]:
  """Returns class names, the files of all classes in order, and their int32 labels."""
  folders = [folder for folder in _visible(root) if folder.is_dir()]
  if not folders:
    raise UserError(f'{root} has no class folders')
  paths, targets = [], []
  for label, folder in enumerate(folders):
    found = [path for path in _visible(folder) if path.is_file()]
    if not found:
      raise UserError(f'class folder {folder} is empty')
    paths += found
    targets += [label] * len(found)
  return tuple(folder.name for folder in folders), paths, np.array(targets, np.int32)


def _visible(folder: Path) -> list[Path]:
  return sorted(path for path in folder.iterdir() if not path.name.startswith('.'))
