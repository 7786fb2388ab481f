"""Image files of a benchmark and their classes: from class folders, or from a list of files."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tlda.data.domains import Inputs, Split
from tlda.data.images import Files, decoded
from tlda.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Listed:
  """Image files that are there, and their classes.

  Attributes:
    paths: The files, in order.
    labels: int32 `[n]`.
  """

  paths: Sequence[Path]
  labels: np.ndarray

  def inputs(self, image_size: int | None) -> Inputs:
    """Returns the images in colour, uint8 `[n, height, width, 3]`, lazily above 1 GiB.

    Args:
      image_size: Height and width to resize to; None where all have one size.

    Raises:
      UserError: An image cannot be read, or sizes differ and none was given.
    """
    return decoded(Files(self.paths), image_size, 3)

  def split(self, image_size: int | None) -> Split:
    """Returns the images of `inputs` with their labels."""
    return Split(self.inputs(image_size), self.labels)


def of_folders(name: str, root: Path, classes: Sequence[str]) -> Listed:
  """Lists the images below one folder for each class, class by class, in order of file name.

  Folders are known by their names whatever the case of their letters, and files and folders whose
  names begin with a dot are left out.

  Args:
    name: The domain, for the sentence.
    root: Holds the class folders.
    classes: The classes there must be.

  Raises:
    UserError: A class folder is missing or empty, or there is another one.
  """
  folders = {p.name.lower(): p for p in root.iterdir() if p.is_dir() and p.name[0] != '.'}
  paths, labels = [], []
  for label, wanted in enumerate(classes):
    folder = folders.pop(wanted.lower(), None)
    if folder is None:
      raise UserError(f'{name}: the class folder {wanted} is missing in {root}')
    found = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != '.')
    if not found:
      raise UserError(f'{name}: the class folder {folder} is empty')
    paths += found
    labels += [label] * len(found)
  if folders:
    raise UserError(f'{name}: {min(folders.values())} is the folder of no class')
  return Listed(paths, np.array(labels, np.int32))


def of_list(name: str, path: Path, root: Path, classes: Sequence[str]) -> Listed:
  """Lists the images that a text file names, a line each: file, label, and what else there is.

  Args:
    name: The domain, for the sentence.
    path: The text file.
    root: Where its files lie.
    classes: What label 0, 1, ... mean.

  Raises:
    UserError: A line is broken, a file is not there, or a label means no class.
  """
  try:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
  except (OSError, UnicodeDecodeError) as error:
    raise UserError(f'{name}: {path} is not a readable list ({error})') from error
  if broken := next((line for line in lines if len(line) < 2), None):
    raise UserError(f'{name}: {path} has a line that is not a file and a label: {broken[0]!r}')
  return checked(name, path, ((root / line[0], line[1]) for line in lines), classes)


def checked(
  name: str, source: Path, named: Iterable[tuple[Path, str]], classes: Sequence[str]
) -> Listed:
  """Checks what a file says of images.

  Args:
    name: The domain, for the sentence.
    source: The file that says it.
    named: Image files, each with its label as it is written.
    classes: What label 0, 1, ... mean.

  Raises:
    UserError: A file is not there, a label means no class, or there is nothing.
  """
  paths, labels = [], []
  for path, label in named:
    if not label.isdecimal() or int(label) >= len(classes):
      raise UserError(
        f'{name}: {source} gives {path.name} the label {label!r}, and classes go from 0 to '
        f'{len(classes) - 1}'
      )
    if not path.is_file():
      raise UserError(f'{name}: {source} names {path}, which is not there')
    paths.append(path)
    labels.append(int(label))
  if not paths:
    raise UserError(f'{name}: {source} names no image')
  return Listed(paths, np.array(labels, np.int32))


def complete(name: str, listed: Listed, classes: Sequence[str]) -> Listed:
  """Returns the same images where each class has one.

  Raises:
    UserError: A class has none.
  """
  found = set(listed.labels.tolist())
  if absent := [word for label, word in enumerate(classes) if label not in found]:
    raise UserError(f'{name} has no image of the class {absent[0]}')
  return listed
