"""Two interleaving half circles, turned step by step: domains that shift as far as one likes.

The toy problem of Germain et al., *A PAC-Bayesian Approach for Domain Adaptation with
Specialization to Linear Classifiers* (ICML 2013), and of gradual adaptation since.
"""

import numpy as np
from sklearn import datasets

from tlda.data import files
from tlda.data.domains import Domain, Split

ANGLES = tuple(range(0, 91, 5))
NAMES = tuple(f'moons/{angle}' for angle in ANGLES)
EXAMPLES, NOISE = 1000, 0.1


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Draws one domain: always the same points, and others in each domain and split.

  Args:
    name: One of `NAMES`; the angle is in degrees, counter-clockwise about the origin, where the
      middle of both moons lies.
    data_dir: Not needed.
    image_size: Of no account.

  Returns:
    The domain, vectors `[1000, 2]` to train with and as many to test with, in halves of two
    classes.
  """
  del data_dir, image_size
  angle = np.deg2rad(int(name.partition('/')[2]))
  turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
  splits = []
  for part in range(2):
    points, labels = datasets.make_moons(
      EXAMPLES, noise=NOISE, random_state=2 * NAMES.index(name) + part
    )
    moved = (points - [0.5, 0.25]) @ turn
    splits.append(Split(moved.astype(np.float32), labels.astype(np.int32)))
  return Domain(name, *splits, ('upper', 'lower'), 'none: drawn by scikit-learn (BSD 3-clause)')
