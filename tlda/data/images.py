"""Images: resized arrays, and encoded files that are decoded when they are asked for."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from PIL import Image

from tlda.errors import UserError

# Pillow goes by contents, not by names: without this list, EPS would be handed to Ghostscript.
FORMATS = ('BMP', 'GIF', 'JPEG', 'PNG', 'PPM', 'TIFF', 'WEBP')
# A set that takes more than this decoded stays encoded until its examples are asked for.
EAGER_BYTES = 2**30


class Records(Protocol):
  """Encoded images by number."""

  def __len__(self) -> int:
    """Returns how many there are."""

  def name(self, index: int) -> str:
    """Returns what one is called in messages."""

  def open(self, index: int) -> BinaryIO:
    """Returns the encoded bytes of one, as an open file."""


@dataclasses.dataclass(frozen=True)
class Files:
  """Image files (`Records`), opened when they are asked for.

  Attributes:
    paths: The files.
  """

  paths: Sequence[Path]

  def __len__(self) -> int:
    """Returns the number of files."""
    return len(self.paths)

  def name(self, index: int) -> str:
    """Returns the path of one."""
    return str(self.paths[index])

  def open(self, index: int) -> BinaryIO:
    """Opens one for reading."""
    return open(self.paths[index], 'rb')


@dataclasses.dataclass(frozen=True)
class EncodedImages:
  """Images of one size that are decoded when they are fetched (`LazyInputs`).

  Attributes:
    records: The encoded images.
    height: Height of every image; another height is resized to it if `resized`, else an error.
    width: Width of every image, likewise.
    channels: 1 for grey, 3 for colour; what is encoded otherwise is converted.
    resized: Whether images may be encoded in other sizes.
  """

  records: Records
  height: int
  width: int
  channels: int
  resized: bool
  dtype: np.dtype = np.dtype(np.uint8)

  @property
  def shape(self) -> tuple[int, int, int, int]:
    """The shape of the whole set, `(examples, height, width, channels)`."""
    return len(self), self.height, self.width, self.channels

  def __len__(self) -> int:
    """Returns the number of images."""
    return len(self.records)

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    """Decodes the images at `indices` `[batch]`: uint8 `[batch, height, width, channels]`."""
    images = np.empty((len(indices), *self.shape[1:]), np.uint8)

    def fill(row: int) -> None:
      images[row] = self._decode(int(indices[row]))

    # Pillow lets go of the interpreter while it decodes and resizes.
    with ThreadPoolExecutor() as pool:
      for _ in pool.map(fill, range(len(indices))):
        pass  # Raises what the first of the broken images raised.
    return images

  def with_channels(self, channels: int) -> 'EncodedImages':
    """Returns the same images with 1 (grey) or 3 (colour) channels."""
    return dataclasses.replace(self, channels=channels)

  def _decode(self, index: int) -> np.ndarray:
    with opened(self.records, index) as picture:
      picture = picture.convert('L' if self.channels == 1 else 'RGB')
    size = (self.width, self.height)
    if picture.size != size:
      if not self.resized:
        raise _sizes_differ(self.records.name(index), picture.size, size)
      picture = picture.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture).reshape(self.shape[1:])


@contextlib.contextmanager
def opened(records: Records, index: int) -> Iterator[Image.Image]:
  """Opens one image of `FORMATS` with Pillow, whose limit against decompression bombs holds.

  Args:
    records: The encoded images.
    index: Which one.

  Yields:
    The image, not decoded yet.

  Raises:
    UserError: If it cannot be read, in the block as well, is larger than Pillow's limit or has more
      than 8 bits a channel: the image is named.
  """
  try:
    with records.open(index) as file, Image.open(file, formats=FORMATS) as picture:
      # Up to twice its limit, Pillow itself would only warn.
      if Image.MAX_IMAGE_PIXELS and picture.width * picture.height > Image.MAX_IMAGE_PIXELS:
        raise ValueError(f'more than {Image.MAX_IMAGE_PIXELS} pixels')
      if picture.mode[0] in 'IF':
        raise ValueError('more than 8 bits a channel, which would be cut off')
      yield picture
  except Exception as error:  # Pillow's decoders raise many kinds on broken bytes.
    raise UserError(f'{records.name(index)} is not a readable image ({error})') from error


def decoded(records: Records, size: int | None, channels: int) -> np.ndarray | EncodedImages:
  """Makes inputs of encoded images: an array where it fits (1 GiB), else lazy ones.

  Args:
    records: The encoded images, at least one.
    size: Height and width to resize to; None where all have one size.
    channels: 1 for grey, 3 for colour.

  Returns:
    uint8 `[n, height, width, channels]`, or the same lazily.

  Raises:
    UserError: If an image cannot be read, or sizes differ and none was given.
  """
  width, height = (size, size) if size else _common_size(records)
  images = EncodedImages(records, height, width, channels, resized=size is not None)
  if np.prod(images.shape) > EAGER_BYTES:
    return images
  return images.fetch(np.arange(len(images)))


def resize(images: np.ndarray, size: int | None) -> np.ndarray:
  """Resizes a stack of images to squares, bilinearly (with a wider filter where they shrink).

  Args:
    images: uint8 `[n, height, width, channels]` with 1 or 3 channels, or float32 with 1.
    size: Height and width of the result; None leaves the images as they are.

  Returns:
    `[n, size, size, channels]` of the same type; uint8 is rounded.
  """
  if size is None or images.shape[1:3] == (size, size):
    return images
  shape = (size, size, images.shape[-1])
  resized = np.empty((len(images), *shape), images.dtype)
  for image, out in zip(images, resized, strict=True):
    picture = Image.fromarray(image[..., 0] if shape[-1] == 1 else image)
    out[...] = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)).reshape(shape)
  return resized


def _common_size(records: Records) -> tuple[int, int]:
  """Returns the width and height that all images have, from their headers."""
  sizes = []
  for index in range(len(records)):
    with opened(records, index) as picture:
      sizes.append(picture.size)
    if sizes[-1] != sizes[0]:
      raise _sizes_differ(records.name(index), sizes[-1], sizes[0])
  return sizes[0]


def _sizes_differ(name: str, size: tuple[int, int], expected: tuple[int, int]) -> UserError:
  return UserError(
    f'{name} is {size[0]}x{size[1]} where other images are {expected[0]}x{expected[1]}: '
    'give an image size to resize them to'
  )
