"""Writes tests/models/data/torch_{zip,legacy}.pth, small files by PyTorch itself, of every kind.

PATH/python scripts/reference_pickles.py tests/models/data, where PATH is a Python that has PyTorch
and NumPy (these were written by PyTorch 2.13). The numbers are such that the tests know them.
"""

import collections
import sys
from pathlib import Path

import torch

DTYPES = ('float64', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool')


def tensors() -> collections.OrderedDict[str, torch.Tensor]:
  """Returns tensors and views of 48 quarters, and the numbers 0, 1, 2 in every dtype."""
  base = torch.arange(48).reshape(6, 8) / 4
  made = collections.OrderedDict(
    base=base,
    transposed=base.t(),
    strided=base[1:5:2, 2:7:3],
    tail=base[4:],
    scalar=torch.tensor(3.5),
    empty=torch.zeros(0, 4),
    expanded=torch.tensor([1.5, 2.5]).expand(3, 2),
    parameter=torch.nn.Parameter(torch.arange(6).reshape(3, 2) / 2),
    channels_last=(torch.arange(54) / 2)
    .reshape(2, 3, 3, 3)
    .contiguous(memory_format=torch.channels_last),
  )
  made.update({name: torch.arange(3).to(getattr(torch, name)) for name in DTYPES})
  return made


def main(folder: Path) -> None:
  """Writes both files: a training checkpoint of a model that DataParallel wrapped."""
  named = collections.OrderedDict((f'module.{name}', value) for name, value in tensors().items())
  for name, is_zip in (('zip', True), ('legacy', False)):
    checkpoint = {'epoch': 3, 'best': 0.5, 'tags': {'a', 'b'}, 'state_dict': named}
    torch.save(checkpoint, folder / f'torch_{name}.pth', _use_new_zipfile_serialization=is_zip)


if __name__ == '__main__':
  main(Path(sys.argv[1]))
