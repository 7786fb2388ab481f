"""Weights, inputs and pixels that two programs can each compute: ours, and PyTorch's.

So that reference files need to hold outputs only. Needs NumPy alone.
"""

import zlib

import numpy as np

SIDE = 64


def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Draws a tensor, so that activations keep their size through a network.

  Args:
    name: Its published name, which seeds it.
    shape: Its shape in PyTorch: of kernels the outputs come first.

  Returns:
    float32 `shape`.
  """
  values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32)
  if name.endswith('running_var'):
    return 1 + np.abs(values) / 10
  if name.endswith(('bias', 'running_mean', 'cls_token', 'pos_embed')):
    return values / 10
  if len(shape) == 1:
    return 1 + values / 10
  values *= np.float32(np.sqrt(2 / np.prod(shape[1:])))
  return values


def images(side: int = SIDE) -> np.ndarray:
  """Draws two images, float32 `[2, side, side, 3]`."""
  return np.random.default_rng(0).standard_normal((2, side, side, 3), np.float32)


def crop(photograph: np.ndarray) -> np.ndarray:
  """Scales the shorter side of a photograph to 256 and takes the middle 224x224: uint8 RGB."""
  from PIL import Image

  image = Image.fromarray(photograph)
  scale = 256 / min(image.size)
  image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BICUBIC)
  left, top = ((side - 224) // 2 for side in image.size)
  return np.asarray(image.crop((left, top, left + 224, top + 224)))
