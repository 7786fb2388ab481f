"""Converts published weights to ours, or lists what a weight file holds.

  python scripts/convert_weights.py FILE
  python scripts/convert_weights.py FILE OUT.npz --backbone=resnet50

FILE is whatever `tlda.models.pretrained.read` takes: a path (.pth, .pt, .safetensors, .npz,
.msgpack, an Orbax folder, a run), https://..., hf:OWNER/NAME/FILE, efficientnet_lite0, minilm. OUT
is .npz or .safetensors, in our names and layouts, and can be read again. Of a run that was trained
with --transfer=lora it holds the merged weights. Nothing in FILE is executed.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import traverse_util

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import common, outputs  # noqa: E402
from tlda.errors import UserError  # noqa: E402
from tlda.models import backbones, pretrained  # noqa: E402
from tlda.models.weights import safetensors  # noqa: E402


def convert(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
  """Returns a file's arrays as float32, in our layouts, under paths below the backbone.

  Args:
    arrays: As `pretrained.read` returns them.
    name: The backbone, one with public weights.

  Raises:
    UserError: There is no such backbone, or the arrays do not fit it.
  """
  backbone = backbones.network(name, classes=2, bottleneck=0).extractor
  loaded = pretrained.load(backbone, shapes(backbone, name), arrays)
  flat = [traverse_util.flatten_dict(tree, sep='/') for tree in loaded.values()]
  return {path: array for part in flat for path, array in part.items()}


def shapes(backbone: nn.Module, name: str) -> dict[str, dict]:
  """Returns the shapes of a backbone's variables; nothing is computed."""
  published = getattr(backbone, 'published', None)
  if published is None:
    raise UserError(f'backbone {name!r} has no public weights')
  is_text = not published.mean
  inputs = (
    jnp.zeros((1, published.size), jnp.int32)
    if is_text
    else jnp.zeros((1, published.size, published.size, len(published.mean)))
  )
  return jax.eval_shape(backbone.init, jax.random.key(0), inputs)


def main(argv: Sequence[str]) -> int:
  """Does what the arguments say; returns the exit code, 2 for a user's mistake."""
  given = _parser().parse_args(argv)
  return common.guarded(lambda: _run(given.source, given.output, given.backbone))


def _run(source: str, output: Path | None, backbone: str | None) -> None:
  if (output is None) != (backbone is None):
    raise UserError('converting needs both OUT and --backbone; listing needs neither')
  if output is not None and output.suffix not in ('.npz', '.safetensors'):
    raise UserError(f'{output} should end with .npz or .safetensors')
  if output is not None and output.exists():
    raise UserError(f'{output} is there already: nothing was converted')
  if output is not None:
    outputs.check(output)
  arrays = pretrained.read(source)
  if output is None:
    for name, array in arrays.items():
      print(f'{name}  {list(array.shape)}  {array.dtype}')
    print(f'{len(arrays)} tensors, {sum(array.size for array in arrays.values()):,} numbers')
    return
  converted = convert(arrays, backbone)
  try:
    _write(output, converted)
  except OSError as error:
    raise UserError(f'{output} cannot be written ({error})') from error
  print(f'{output}: {len(converted)} arrays of {backbone}')


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
  """Writes a file, whole or not at all."""
  partial = path.with_name(f'{path.stem}.partial{path.suffix}')
  if path.suffix == '.npz':
    np.savez(partial, **arrays)
  else:
    safetensors.write(partial, arrays)
  os.replace(partial, path)


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('source', metavar='FILE', help='the weights to read')
  parser.add_argument('output', metavar='OUT', nargs='?', type=Path, help='.npz or .safetensors')
  parser.add_argument('--backbone', help='whose weights they are, such as resnet50')
  return parser


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
