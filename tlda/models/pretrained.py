"""Pretrained weights: reading the files that they are published in, and putting them in a network.

No weight file executes anything: PyTorch's pickles are read by a reader of our own that knows
tensors and plain containers, and refuses the rest by name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from tlda.errors import UserError
from tlda.models.weights import flax_files, merging, names, pickles, places, safetensors
from tlda.models.weights.names import Naming

Arrays = dict[str, np.ndarray]

_COLLECTIONS = ('params', 'batch_stats')
# Leaves of normalisation, of which a domain may have its own.
_OF_DOMAINS = {'scale', 'bias', 'mean', 'var'}
# A pickle that no PyTorch wrote may begin with anything, and is refused by what it names.
_PICKLES = {'.pth', '.pt', '.bin', '.ckpt', '.pkl', '.tar', '.th'}


def read(place: str) -> Arrays:
  """Reads a weight file, of whatever kind its bytes say it is.

  Args:
    place: A path: `.pth` or `.pt` (zip or older pickle), `.safetensors`, `.npz`, Flax's `.msgpack`,
      or a folder (an Orbax checkpoint, or a run of ours: the step that its `--select` chose, else
      its newest checkpoint, first seed, with the products of LoRA merged into its kernels); an
      address `https://...`, downloaded once; `hf:OWNER/NAME/FILE` of the Hugging Face hub; or a
      name of `places.KNOWN`, which a package brings. An address may end with `#sha256=HEX`.

  Returns:
    Arrays by the names, and of the dtypes, that the file has. They may be read-only.

  Raises:
    UserError: There is no such file, it is broken or truncated, its checksum is wrong, or it would
      run something.
  """
  path = places.find(place)
  try:
    if path.is_dir():
      return merging.merged(flax_files.read_checkpoint(path), path)
    return _reader(path)(path)
  except UserError as error:
    raise UserError(f'{place}: {error}') from error
  except OSError as error:
    raise UserError(f'{place} cannot be read ({error})') from error


def load(
  backbone: nn.Module,
  variables: Mapping[str, Any],
  arrays: Mapping[str, np.ndarray],
  *,
  allow_missing: bool = False,
) -> dict[str, Any]:
  """Puts a file's arrays in the place of a backbone's variables.

  Names are those of the public weights (`backbone.published`, in PyTorch's layouts: a kernel is
  turned to ours by its rank) or ours, paths joined by '/' or '.'. If one prefix makes every tensor
  fit, what stands under it is meant. What the public weights have behind the features is dropped.
  Where each domain has a normalisation of its own, each gets the published one.

  A backbone whose tensors need more has `adapt(name, array, wanted)`: of a published name, an
  array and the shape of ours, it returns the array in our layout, or the array itself.

  Args:
    backbone: The bare backbone, that is without bottleneck and head.
    variables: Its variables, {'params': ..., 'batch_stats': ...}, of arrays or their shapes.
    arrays: As `read` returns them.
    allow_missing: Whether what the file lacks keeps the value that it has in `variables`, and what
      it has besides is let be.

  Returns:
    `variables` with NumPy arrays, of the dtypes there.

  Raises:
    UserError: Tensors are missing or left over, or have another shape or dtype; a table says which.
  """
  wanted = {
    f'{collection}/{path}': leaf
    for collection in _COLLECTIONS
    for path, leaf in traverse_util.flatten_dict(variables.get(collection, {}), sep='/').items()
  }
  published = getattr(backbone, 'published', None)
  naming = names.choose([_below(place) for place in wanted], arrays, published)
  taken, differences = _match(backbone, naming, wanted, arrays)
  if not allow_missing or not taken:
    used = {naming.of(_below(place)) for place in wanted}
    differences['surplus'] = names.surplus(arrays, used, naming.prefix, published)
  else:
    differences['missing'] = []
  if any(differences.values()):
    raise UserError(names.table(type(backbone).__name__, differences))
  return dict(variables) | traverse_util.unflatten_dict(wanted | taken, sep='/')


def head(backbone: nn.Module, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns the head that the public weights have behind a backbone's features.

  Args:
    backbone: The bare backbone.
    arrays: As `read` returns them.

  Returns:
    'kernel' `[features, classes]` and 'bias' `[classes]` of a dense layer, float32.

  Raises:
    UserError: The file has no head, or one of another kind.
  """
  published = getattr(backbone, 'published', None)
  heads = published.head if published else ()
  for prefix in heads:
    kernel, bias = (arrays.get(prefix + leaf) for leaf in ('weight', 'bias'))
    if kernel is not None and bias is not None and kernel.ndim == 2:
      return {'kernel': np.array(kernel.T, np.float32), 'bias': np.array(bias, np.float32)}
  among = ', '.join(name + 'weight' for name in heads) or 'none is known'
  raise UserError(
    f'the weights have no dense head behind {type(backbone).__name__} (looked for: {among})'
  )


def _below(place: str) -> str:
  """Returns the path below the backbone, without the collection."""
  return place.partition('/')[2]


def _match(
  backbone: nn.Module,
  naming: Naming,
  wanted: Mapping[str, jax.ShapeDtypeStruct],
  arrays: Mapping[str, np.ndarray],
) -> tuple[Arrays, dict[str, list[str]]]:
  """Returns the arrays that fit, by place, and a line for each that does not, by kind."""
  taken, missing, shapes, dtypes = {}, [], [], []
  for place, leaf in wanted.items():
    name = naming.of(_below(place))
    if name not in arrays:
      missing.append(name)
      continue
    array = _laid_out(backbone, naming, _below(place), arrays[name], leaf.shape)
    if array.shape != leaf.shape:
      made = f'{list(arrays[name].shape)} makes {list(array.shape)}'
      shapes.append(f'{name}: {made}, and {list(leaf.shape)} is wanted')
    elif not jnp.issubdtype(array.dtype, jnp.floating):
      dtypes.append(f'{name}: {array.dtype}, and {leaf.dtype} is wanted')
    else:
      taken[place] = np.array(array, leaf.dtype, order='C')
  return taken, {'missing': missing, 'of another shape': shapes, 'of another dtype': dtypes}


def _laid_out(
  backbone: nn.Module, naming: Naming, path: str, array: np.ndarray, wanted: tuple[int, ...]
) -> np.ndarray:
  """Turns an array of the file to our layout: a view, or what the backbone makes of it."""
  leaf = path.rpartition('/')[2]
  if naming.is_published:
    found = array
    if hasattr(backbone, 'adapt'):
      array = backbone.adapt(naming.rename(path), array, wanted)
    if array is found and leaf == 'kernel' and array.ndim > 1:
      array = array.transpose(*range(2, array.ndim), 1, 0)
  if leaf in _OF_DOMAINS and len(wanted) == 2 and array.shape == wanted[1:]:
    array = np.broadcast_to(array, wanted)
  return array


def _reader(path: Path) -> Callable[[Path], Arrays]:
  """Returns the reader of a file, by its first bytes; those of some kinds may be anything."""
  with path.open('rb') as file:
    head = file.read(9)
  if path.suffix == '.msgpack':
    return flax_files.read_msgpack
  if path.suffix == '.npz':
    return flax_files.read_npz
  if head[8:] == b'{':
    return safetensors.read
  if head.startswith((b'PK', b'\x80')) or path.suffix in _PICKLES:
    return pickles.read
  raise UserError(
    'is no weight file: PyTorch (zip or pickle), safetensors, npz and Flax msgpack are read, and '
    f'it begins with {head!r}'
  )
