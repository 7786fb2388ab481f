"""The same step in PyTorch, to be timed: `scripts/benchmark.py step --torch_python=PATH` runs it.

It is written as a user of PyTorch would, eagerly, and runs on the CPU in an environment of its own
(`PATH -m scripts.benchmark_torch LAYOUT`), which needs nothing of `tlda`: `torch` alone.
"""

import math
import platform
import sys
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from scripts import _worker

BATCH = 64
EXAMPLES = 60_000
TOTAL_STEPS = 20_000
_LAYOUTS = {'default': torch.contiguous_format, 'channels_last': torch.channels_last}


class _Reversal(torch.autograd.Function):
  @staticmethod
  def forward(ctx: Any, x: torch.Tensor, coefficient: float) -> torch.Tensor:
    """Returns `x`."""
    ctx.coefficient = coefficient
    return x.view_as(x)

  @staticmethod
  def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
    """Returns the gradient, reversed and scaled."""
    return -ctx.coefficient * gradient, None


class TorchBench:
  """DANN on the MNIST network of Ganin et al. (2016), random images of 28x28x3.

  Attributes:
    about: Versions, device and number of parameters.
  """

  def __init__(self, layout: str) -> None:
    """Makes data and networks; `layout` is 'default' or 'channels_last'."""
    self._layout, self._step = _LAYOUTS[layout], 0
    torch.manual_seed(0)
    shape = (EXAMPLES, 3, 28, 28)
    self._images = [torch.randint(0, 256, shape, dtype=torch.uint8) for _ in ('source', 'target')]
    self._images = [images.to(memory_format=self._layout) for images in self._images]
    self._labels = torch.randint(0, 10, (EXAMPLES,))
    self._extractor, self._head, self._classifier = _networks()
    self._extractor.to(memory_format=self._layout)
    modules = (self._extractor, self._head, self._classifier)
    parameters = [parameter for module in modules for parameter in module.parameters()]
    self._optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    self.about: dict[str, Any] = {
      'versions': {'python': platform.python_version(), 'torch': torch.__version__},
      'device': {'platform': 'cpu', 'threads': torch.get_num_threads()},
      'parameters': sum(parameter.numel() for parameter in parameters),
    }

  def run(self, steps: int) -> None:
    """Runs steps; each is done when it returns."""
    for _ in range(steps):
      self._train()

  def host_seconds(self) -> None:
    """Returns None: Python and kernels take turns in one thread."""

  def peak_bytes(self) -> int | None:
    """Returns the peak of the process's memory."""
    return _worker.process_peak_bytes()

  def _train(self) -> None:
    share = self._step / TOTAL_STEPS
    coefficient = 2 / (1 + math.exp(-10 * share)) - 1
    self._optimizer.param_groups[0]['lr'] = 0.01 / (1 + 10 * share) ** 0.75
    rows = torch.randint(0, EXAMPLES, (2, BATCH))
    images = [images[own] for images, own in zip(self._images, rows, strict=True)]
    inputs = torch.cat(images).to(memory_format=self._layout) / 255 - 0.5
    features = self._extractor(inputs)
    logits = self._head(features[:BATCH])
    domain = self._classifier(_Reversal.apply(features, coefficient))[:, 0]
    is_source = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])
    loss = F.cross_entropy(logits, self._labels[rows[0]])
    loss = loss + F.binary_cross_entropy_with_logits(domain, is_source)
    self._optimizer.zero_grad()
    loss.backward()
    self._optimizer.step()
    self._step += 1


def _networks() -> tuple[nn.Module, nn.Module, nn.Module]:
  """Returns extractor, head and domain classifier."""
  stages = [(nn.Conv2d(i, o, 5), nn.MaxPool2d(2), nn.ReLU()) for i, o in ((3, 32), (32, 48))]
  extractor = nn.Sequential(*stages[0], *stages[1], nn.Flatten())
  hidden = lambda width: (nn.Linear(width, 100), nn.ReLU())
  head = nn.Sequential(*hidden(768), *hidden(100), nn.Linear(100, 10))
  classifier = nn.Sequential(*hidden(768), nn.Linear(100, 1))
  return extractor, head, classifier


if __name__ == '__main__':
  _worker.serve(TorchBench(sys.argv[1]))
