"""Domains that TFDS prepared as array_record: `tfds:NAME`. TensorFlow is not needed."""

import dataclasses
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tlda.data import files, labels
from tlda.data.domains import Domain, Split
from tlda.data.images import decoded, resize
from tlda.errors import UserError

_CHUNK = 1024
_VERSION = re.compile(r'\d+\.\d+\.\d+')
# What the description of a data set may name: TFDS imports the modules that are named there.
_TRUSTED = 'tensorflow_datasets.core.features.'


@dataclasses.dataclass(frozen=True)
class Examples:
  """The encoded images of a TFDS data source (`Records`).

  Attributes:
    source: Examples by number, each a dictionary whose image is left encoded.
    key: Which entry is the image.
    label: What the set is called in messages.
  """

  source: Sequence[dict[str, Any]]
  key: str
  label: str

  def __len__(self) -> int:
    """Returns the number of examples."""
    return len(self.source)

  def name(self, index: int) -> str:
    """Returns what one is called in messages."""
    return f'{self.label}, example {index}'

  def open(self, index: int) -> BinaryIO:
    """Returns the encoded bytes of one, as an open file."""
    return io.BytesIO(self.source[index][self.key])


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads a data set with the splits `train` and `test`, `image` and `label`.

  Args:
    name: `NAME` or `NAME/CONFIG`, and perhaps `:VERSION`, else the highest version there is.
    data_dir: The folder that TFDS prepared it in; None: TLDA_DATA_DIR.
    image_size: Height and width to resize to; needed unless all images have one size.

  Returns:
    The domain `tfds:NAME`.

  Raises:
    UserError: If it is missing, broken, in another format, or has no such splits or features.
  """
  domain = f'tfds:{name}'
  builder = _builder(domain, _folder(name, data_dir))
  missing = [split for split in ('train', 'test') if split not in builder.info.splits]
  if missing:
    found = ', '.join(builder.info.splits)
    raise UserError(f'{domain} has no split {" and no split ".join(missing)} (it has {found})')
  features = builder.info.features
  for key in ('image', 'label'):
    if key not in features:
      raise UserError(f'{domain} has no feature {key!r} (it has {", ".join(features)})')
  train, test = (_split(domain, builder, split, image_size) for split in ('train', 'test'))
  if train.inputs.shape[1:] != test.inputs.shape[1:]:
    raise UserError(f'{domain}: training and test images differ in size: give an image size')
  classes = tuple(getattr(features['label'], 'names', None) or labels.unnamed(train.labels, domain))
  labels.in_range([train.labels, test.labels], len(classes), domain)
  licence = builder.info.redistribution_info.license or 'none stated in its TFDS description'
  return Domain(domain, train, test, classes, licence)


def _folder(name: str, data_dir: files.DataDir) -> Path:
  """Finds the folder of the version that is asked for, or of the highest."""
  name, _, version = name.partition(':')
  how = (
    'prepare it as array_record with scripts/prepare_datasets.py if it is listed there, else with '
    f'`tfds build {name} --file_format=array_record` (that one needs TensorFlow); '
    'licence: see its TFDS page'
  )
  relative = f'{name}/{version}' if version else name
  if not name or '..' in Path(relative).parts or Path(name).is_absolute():
    raise UserError(f'tfds:{relative} does not name a data set')
  folder = files.find(f'tfds:{name}', relative, data_dir, how)
  versions = [path for path in folder.glob('*.*.*') if _VERSION.fullmatch(path.name)]
  if versions:
    return max(versions, key=lambda path: tuple(map(int, path.name.split('.'))))
  if not (folder / 'dataset_info.json').is_file():
    raise UserError(f'tfds:{name}: {folder} holds no prepared data set; {how}')
  return folder


def _builder(domain: str, folder: Path) -> Any:
  # Late: importing TFDS takes a second, and only this domain needs it.
  import tensorflow_datasets as tfds

  try:
    description = json.loads((folder / 'features.json').read_text())
    foreign = [found for found in _class_names(description) if not found.startswith(_TRUSTED)]
    if not foreign:
      return tfds.builder_from_directory(folder)
  except Exception as error:  # TFDS fails in many ways on a broken description.
    raise UserError(f'{domain}: {folder} cannot be read ({error})') from error
  raise UserError(f'{domain}: {folder} names code outside TFDS, which is not run: {foreign[0]}')


def _class_names(description: Any) -> Iterator[str]:
  """Yields all that a description of features names as a Python class."""
  for key, value in description.items() if isinstance(description, dict) else ():
    if key in ('pythonClassName', 'python_class_name', 'type') and isinstance(value, str):
      yield value
  inner = description.values() if isinstance(description, dict) else description
  for value in inner if isinstance(description, dict | list) else ():
    yield from _class_names(value)


def _split(domain: str, builder: Any, split: str, size: int | None) -> Split:
  import tensorflow_datasets as tfds

  what, feature = f'{domain} ({split})', builder.info.features['image']
  encoded = isinstance(feature, tfds.features.Image)
  decoders = {'image': tfds.decode.SkipDecoding()} if encoded else None
  images, targets = [], []
  try:
    source = builder.as_data_source(split, decoders=decoders)
    for row in _rows(source):
      targets.append(row['label'])
      if not encoded:
        images.append(row['image'])
  except Exception as error:  # Neither does array_record promise how it fails.
    raise UserError(f'{what} cannot be read ({error})') from error
  if not targets:
    raise UserError(f'{what} has no examples')
  numbers = labels.checked(np.array(targets), len(targets), what)
  if encoded:
    channels = 1 if feature.shape[-1] == 1 else 3
    return Split(decoded(Examples(source, 'image', what), size, channels), numbers)
  return Split(_stacked(images, what, size), numbers)


def _rows(source: Any) -> Iterator[dict[str, Any]]:
  """Yields all examples in order, read many at a time: several times faster than one by one."""
  for start in range(0, len(source), _CHUNK):
    yield from source.__getitems__(list(range(start, min(start + _CHUNK, len(source)))))


def _stacked(images: list[np.ndarray], what: str, size: int | None) -> np.ndarray:
  """Stacks images that are stored as numbers, uint8 `[n, height, width, 1 or 3]`."""
  shape, dtype = images[0].shape, images[0].dtype
  if len(shape) != 3 or shape[-1] not in (1, 3) or dtype != np.uint8:
    raise UserError(
      f'{what}: images have shape {shape} and type {dtype}; expected uint8 [height, width, 1 or 3]'
    )
  if any(image.shape != shape for image in images):
    raise UserError(f'{what}: images have different sizes')
  return resize(np.stack(images), size)
