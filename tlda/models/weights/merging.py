"""A run's checkpoint as weights of its bare backbone: what was added to that is merged into it."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tlda.errors import UserError
from tlda.models.adapters import ADAPTERS
from tlda.models.low_rank import PRODUCTS, merge


def merged(arrays: Mapping[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
  """Merges products of low rank into the kernels that they belong to.

  Args:
    arrays: Of a checkpoint, by path.
    folder: Where it was read: a run's, or one in it.

  Returns:
    The arrays without the products.

  Raises:
    UserError: What was added cannot be merged, or nothing says how.
  """
  parts = {part for path in arrays for part in path.split('/')}
  if ADAPTERS in parts:
    raise UserError(
      'is a run with adapters, which cannot be merged into the weights of its backbone: start from '
      'it with --init_from and --transfer=adapter'
    )
  if PRODUCTS not in parts:
    return dict(arrays)
  return {path: np.asarray(array) for path, array in merge(arrays, _alpha(folder)).items()}


def _alpha(folder: Path) -> float:
  """Returns the factor of a run's products, from its configuration."""
  folder = folder.absolute()
  for place in (folder, *folder.parents[:3]):
    try:
      return float(json.loads((place / 'config.json').read_text())['flags']['lora.alpha'])
    except (OSError, ValueError, KeyError, TypeError):
      continue
  raise UserError('holds products of low rank, and no config.json of its run says their alpha')
