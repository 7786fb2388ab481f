"""The sub-sample of MNIST and USPS that ADDA and many after it adapt between.

Tzeng, Hoffman, Saenko, Darrell (CVPR 2017) train on 2,000 images of MNIST and 1,800 of USPS, drawn
at random, five times. Their draws were not published: here they are by fixed seeds, `adda/mnist`
and `adda/usps`, then `adda/mnist/1` to `adda/mnist/4` and their like. Test splits are whole.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tlda.data import files, mnist, usps
from tlda.data.domains import Domain, Split

_PARTS: dict[str, tuple[Callable[[files.DataDir, int | None], Domain], int]] = {
  'adda/mnist': (mnist.load, 2000),
  'adda/usps': (usps.load, 1800),
}
# The names of both in each draw.
DRAWS = tuple(tuple(f'{name}/{draw}' if draw else name for name in _PARTS) for draw in range(5))
NAMES = tuple(name for draw in DRAWS for name in draw)


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads one of the two sub-samples.

  Args:
    name: One of `NAMES`.
    data_dir: As for the whole domain.
    image_size: Height and width to resize to; None: 28.

  Returns:
    The domain, images `[n, 28, 28, 1]`; the order of its training examples is that of the whole.

  Raises:
    UserError: If the whole domain's files are missing, corrupt, or not the original.
  """
  part, draw = '/'.join(name.split('/')[:2]), name.split('/')[2:]
  whole_of, examples = _PARTS[part]
  whole = whole_of(data_dir, image_size)
  random = np.random.Generator(np.random.Philox(int(draw[0]) if draw else 0))
  rows = np.sort(random.choice(len(whole.train), examples, replace=False))
  train = Split(whole.train.fetch(rows), whole.train.labels[rows])
  return dataclasses.replace(whole, name=name, train=train)
