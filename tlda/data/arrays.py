"""Domains of arrays in an npz file: `npz:PATH`."""

from pathlib import Path

import numpy as np

from tlda.data import files, labels
from tlda.data.domains import Domain, Split
from tlda.data.images import resize
from tlda.errors import UserError

_SPLIT = ('x_train', 'y_train', 'x_test', 'y_test')
_WHOLE = ('inputs', 'labels')
LICENCE = 'none stated'


def load(path: str, image_size: int | None = None) -> Domain:
  """Loads arrays.

  The file has `x_train`, `y_train`, `x_test`, `y_test`; or `inputs` and `labels`, of which every
  fifth example of each class, in order, is held out to test with. `class_names` may be there too.
  Inputs are uint8 images `[n, height, width]` or `[n, height, width, 1 or 3]`, or vectors `[n, d]`
  of numbers.

  Args:
    path: The npz file.
    image_size: Height and width to resize images to.

  Returns:
    The domain `npz:PATH`.

  Raises:
    UserError: If the file is missing or broken, or its arrays are not as above.
  """
  name = f'npz:{path}'
  arrays = files.read_arrays(Path(path).expanduser())
  if all(key in arrays for key in _SPLIT):
    train, test = (
      _split(arrays[f'x_{split}'], arrays[f'y_{split}'], f'{name} ({split})', image_size)
      for split in ('train', 'test')
    )
  elif all(key in arrays for key in _WHOLE):
    whole = _split(arrays['inputs'], arrays['labels'], name, image_size)
    train, test = (
      Split(whole.inputs[rows], whole.labels[rows]) for rows in labels.held_out(whole.labels, name)
    )
  else:
    found = ', '.join(arrays) or 'nothing'
    raise UserError(f'{name} has {found}; expected {", ".join(_SPLIT)}, or {", ".join(_WHOLE)}')
  if train.inputs.shape[1:] != test.inputs.shape[1:]:
    raise UserError(
      f'{name}: training inputs have shape {train.inputs.shape[1:]}, '
      f'test inputs {test.inputs.shape[1:]}'
    )
  classes = _classes(arrays, train, name)
  labels.in_range([train.labels, test.labels], len(classes), name)
  return Domain(name, train, test, classes, LICENCE)


def _classes(arrays: dict[str, np.ndarray], train: Split, name: str) -> tuple[str, ...]:
  if 'class_names' not in arrays:
    return labels.unnamed(train.labels, name)
  if arrays['class_names'].ndim != 1:
    raise UserError(f'{name}: class_names must be a list')
  return tuple(map(str, arrays['class_names']))


def _split(inputs: np.ndarray, targets: np.ndarray, what: str, size: int | None) -> Split:
  if inputs.size == 0 or inputs.ndim == 0:
    raise UserError(f'{what} has no examples: its inputs have shape {inputs.shape}')
  if inputs.ndim == 2 and size is not None:
    raise UserError(f'{what} holds vectors, which have no image size: --image_size=0')
  inputs = _images(inputs, what, size) if inputs.ndim > 2 else _vectors(inputs, what)
  return Split(inputs, labels.checked(targets, len(inputs), what))


def _images(inputs: np.ndarray, what: str, size: int | None) -> np.ndarray:
  images = inputs[..., None] if inputs.ndim == 3 else inputs
  if images.ndim != 4 or images.shape[-1] not in (1, 3):
    raise UserError(
      f'{what}: inputs have shape {inputs.shape}; images are [n, height, width] or '
      '[n, height, width, 1 or 3], vectors [n, d]'
    )
  if images.dtype != np.uint8:
    raise UserError(f'{what}: images are {images.dtype}, not uint8 (0 to 255)')
  return resize(images, size)


def _vectors(inputs: np.ndarray, what: str) -> np.ndarray:
  if inputs.ndim != 2 or inputs.dtype.kind not in 'fiu':
    raise UserError(
      f'{what}: inputs have shape {inputs.shape} and type {inputs.dtype}; '
      'vectors are numbers [n, d], images uint8'
    )
  with np.errstate(over='ignore'):  # What float32 cannot hold is infinite, and said below.
    vectors = inputs.astype(np.float32)
  if not np.isfinite(vectors).all():
    raise UserError(f'{what}: inputs have values that are not finite in float32')
  return vectors
