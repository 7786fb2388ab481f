"""The losses in PyTorch, to be timed: `scripts/benchmark.py losses --torch_python=PATH` runs them.

They run on the CPU in an environment of their own (`PATH -m scripts.benchmark_losses_torch FOLDER`)
that needs `torch` and `numpy`, and nothing of `tlda`.
"""

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts import _losses_torch, _losses_torch_transfer, _worker


class TorchLossBench:
  """Value and gradient of a loss, of arguments that the other side has left in a folder.

  Attributes:
    about: Versions, and `difference`: how far value and gradients are from the other side's, each
      as a share of its norm, the largest.
  """

  def __init__(self, loss: str, folder: Path) -> None:
    """Reads the arguments, and computes all once to compare it."""
    module = _losses_torch if hasattr(_losses_torch, loss) else _losses_torch_transfer
    self._loss = getattr(module, loss)
    with np.load(folder / 'given.npz') as arrays:
      self._given = {name: _argument(x) for name, x in arrays.items()}
    self._moved = {
      name: x for name, x in self._given.items() if torch.is_tensor(x) and x.requires_grad
    }
    with np.load(folder / 'found.npz') as arrays:
      differences = _differences(self._results(self._given), dict(arrays))
    # Whoever trains draws new directions at each step; only the comparison needs the same.
    self._given.pop('directions', None)
    self.about: dict[str, Any] = {
      'versions': {'python': platform.python_version(), 'torch': torch.__version__},
      'device': {'platform': 'cpu', 'threads': torch.get_num_threads()},
      'difference': max(differences),
    }

  def run(self, steps: int) -> None:
    """Computes value and gradient that often."""
    for _ in range(steps):
      self._call(self._given)

  def host_seconds(self) -> None:
    """Returns None: Python and kernels take turns in one thread."""

  def peak_bytes(self) -> None:
    """Returns None: the process has other losses too."""

  def _call(self, given: dict[str, Any]) -> tuple[torch.Tensor, tuple[torch.Tensor | None, ...]]:
    value = self._loss(**given).mean()
    return value, torch.autograd.grad(value, tuple(self._moved.values()), allow_unused=True)

  def _results(self, given: dict[str, Any]) -> dict[str, np.ndarray]:
    value, gradients = self._call(given)
    results = {
      name: torch.zeros_like(x) if gradient is None else gradient
      for (name, x), gradient in zip(self._moved.items(), gradients, strict=True)
    }
    return {name: x.detach().numpy() for name, x in {'value': value, **results}.items()}


def _argument(x: np.ndarray) -> Any:
  """Returns a tensor, which gets a gradient if it may, or the number that an array holds."""
  if x.ndim == 0:
    return x.item()
  tensor = torch.from_numpy(x)
  return tensor.requires_grad_() if tensor.is_floating_point() else tensor.long()


def _differences(results: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> list[float]:
  return [
    float(np.linalg.norm(results[name] - x) / max(np.linalg.norm(x), 1e-30))
    for name, x in expected.items()
  ]


if __name__ == '__main__':
  FOLDER = Path(sys.argv[1])
  _worker.serve_cases(lambda case: TorchLossBench(case.partition(':')[0], FOLDER / case))
