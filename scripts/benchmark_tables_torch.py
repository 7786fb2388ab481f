"""Whole tables in PyTorch, to be timed: `scripts/benchmark.py tables --torch_python=PATH` runs it.

  PATH scripts/benchmark_tables_torch.py DATA.npz SPEC.json

It is written as a user of PyTorch would: run after run, eagerly, on the CPU, in an environment of
its own that needs `torch` and `numpy`, and nothing of `tlda`. DATA.npz holds `NAME/train_inputs`,
`NAME/train_labels`, `NAME/test_inputs` and `NAME/test_labels` of each domain. SPEC.json holds

  runs: each with `method`, `source`, `target`, `seed`, `weight` (of the method's second term) and
    `learning_rate` (at the start)
  hidden, activation, classes: the widths of the extractor's layers, their function, the logits
  steps, batch_size (examples of each domain), momentum, eval_every (steps), threads

A line of JSON goes to the standard output: `torch` (its version), `threads`, and for each run
`seconds`, `target_accuracy` and `source_accuracy`. The seconds are those of the run alone, its
evaluations included: data are read, and PyTorch has warmed up, before.
"""

import itertools
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import _losses_torch as losses  # noqa: E402

ACTIVATIONS = {'sigmoid': nn.Sigmoid, 'relu': nn.ReLU}
_STD = 0.87962566103423978  # Of a standard normal that is cut off at 2.


class Domain(NamedTuple):
  """One domain, read once and shared by all runs.

  Attributes:
    inputs: `[n, d]`, to train with.
    labels: `[n]`.
    test_inputs: `[m, d]`.
    test_labels: `[m]`.
    mean: `[d]` float64, of the inputs to train with.
  """

  inputs: Tensor
  labels: Tensor
  test_inputs: Tensor
  test_labels: Tensor
  mean: Tensor


class Network(nn.Module):
  """An extractor of dense layers and a linear head; DANN and MDD have a linear adversary too."""

  def __init__(self, width: int, spec: Mapping[str, Any], method: str) -> None:
    """Makes the parts for inputs of a width."""
    super().__init__()
    widths, activation = [width, *spec['hidden']], ACTIVATIONS[spec['activation']]
    pairs = itertools.pairwise(widths)
    layers = [layer for pair in pairs for layer in (nn.Linear(*pair), activation())]
    self.extractor = nn.Sequential(*layers)
    self.head = nn.Linear(widths[-1], spec['classes'])
    if method in ('dann', 'mdd'):
      self.adversary = nn.Linear(widths[-1], 1 if method == 'dann' else spec['classes'])
    self.apply(_initialize)

  def forward(self, inputs: Tensor) -> Tensor:
    """Returns logits `[batch, classes]`."""
    return self.head(self.extractor(inputs))

  def opposed(self, features: Tensor, coefficient: float) -> Tensor:
    """Returns the adversary's logits; the features get its gradient reversed and scaled."""
    return self.adversary(_Reversal.apply(features, coefficient))


class _Reversal(torch.autograd.Function):
  @staticmethod
  def forward(ctx: Any, x: Tensor, coefficient: float) -> Tensor:
    """Returns `x`."""
    ctx.coefficient = coefficient
    return x.view_as(x)

  @staticmethod
  def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    """Returns the gradient, reversed and scaled."""
    return -ctx.coefficient * gradient, None


def _initialize(module: nn.Module) -> None:
  """Draws weights of variance 1 / inputs from a normal cut off at 2 deviations; biases are 0."""
  if isinstance(module, nn.Linear):
    std = module.in_features**-0.5 / _STD
    nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(module.bias)


def second_term(
  run: Mapping[str, Any], network: Network, features: Tensor, logits: Tensor, ramp: float
) -> Tensor:
  """Returns what a method adds to the task loss, of the source's examples and then the target's.

  Ramp grows from 0 to nearly 1 in the course of training.
  """
  method, weight = run['method'], run['weight']
  if method == 'deep_coral':
    return weight * losses.coral(*logits.chunk(2))
  if method == 'dan':
    return weight * sum(losses.maximum_mean_discrepancy(*x.chunk(2)) for x in (features, logits))
  others = network.opposed(features, weight * ramp)
  if method == 'dann':
    return losses.domain_adversarial(*others[:, 0].chunk(2))
  (source, target), (other_source, other_target) = logits.chunk(2), others.chunk(2)
  return losses.margin_disparity(source, other_source, target, other_target)


def train(
  run: Mapping[str, Any], spec: Mapping[str, Any], domains: Mapping[str, Domain]
) -> tuple[float, float]:
  """Trains once; returns the accuracy on the test of the target, and on that of the source."""
  torch.manual_seed(run['seed'])
  source, target = (domains[run[side]] for side in ('source', 'target'))
  adapts, steps, size = run['method'] != 'source_only', spec['steps'], spec['batch_size']
  read = [source, target] if adapts else [source]
  mean = torch.stack([domain.mean for domain in read]).mean(0).float()
  inputs = torch.cat([domain.inputs for domain in read]).sub_(mean)
  tests = [(domain.test_inputs - mean, domain.test_labels) for domain in (target, source)]
  network = Network(inputs.shape[1], spec, run['method'])
  optimizer = torch.optim.SGD(
    network.parameters(), lr=run['learning_rate'], momentum=spec['momentum']
  )
  for step, rows in enumerate(batches([len(domain.labels) for domain in read], steps, size)):
    progress = step / steps
    optimizer.param_groups[0]['lr'] = run['learning_rate'] / (1 + 10 * progress) ** 0.75
    features = network.extractor(inputs.index_select(0, rows))
    logits = network.head(features)
    loss = F.cross_entropy(logits[:size], source.labels[rows[:size]])
    if adapts:
      ramp = 2 / (1 + math.exp(-10 * progress)) - 1
      loss = loss + second_term(run, network, features, logits, ramp)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (step + 1) % spec['eval_every'] == 0 or step + 1 == steps:
      accuracies = accuracy(network, *tests[0]), accuracy(network, *tests[1])
  return accuracies


def batches(examples: Sequence[int], steps: int, size: int) -> Tensor:
  """Draws the rows of all steps: epochs of random order, for each domain its own.

  Args:
    examples: Their number in each domain; the rows of one follow those of the one before.
    steps: How many.
    size: Examples of each domain in a step, which may reach from one epoch into the next.

  Returns:
    int64 `[steps, domains * size]`.
  """
  columns, first = [], 0
  for count in examples:
    epochs = [torch.randperm(count) for _ in range(math.ceil(steps * size / count))]
    columns.append(first + torch.cat(epochs)[: steps * size].view(steps, size))
    first += count
  return torch.cat(columns, dim=1)


@torch.no_grad()
def accuracy(network: Network, inputs: Tensor, labels: Tensor) -> float:
  """Returns the share of right predictions."""
  return (network(inputs).argmax(1) == labels).float().mean().item()


def read_domain(arrays: Mapping[str, np.ndarray], name: str) -> Domain:
  """Returns a domain as tensors."""
  train, train_labels, test, test_labels = (
    torch.from_numpy(arrays[f'{name}/{part}'])
    for part in ('train_inputs', 'train_labels', 'test_inputs', 'test_labels')
  )
  mean = train.mean(0, dtype=torch.float64)
  return Domain(train, train_labels.long(), test, test_labels.long(), mean)


def main() -> None:
  """Does the runs that the command line names."""
  spec = json.loads(Path(sys.argv[2]).read_text())
  torch.set_num_threads(spec['threads'])
  names = dict.fromkeys(run[side] for run in spec['runs'] for side in ('source', 'target'))
  with np.load(sys.argv[1]) as arrays:
    domains = {name: read_domain(arrays, name) for name in names}
  train(spec['runs'][0], {**spec, 'steps': 1}, domains)  # The first step loads libraries.
  seconds, accuracies = [], []
  for run in spec['runs']:
    start = time.perf_counter()
    accuracies.append(train(run, spec, domains))
    seconds.append(time.perf_counter() - start)
  target, source = zip(*accuracies, strict=True)
  found = {'seconds': seconds, 'target_accuracy': target, 'source_accuracy': source}
  print(json.dumps({'torch': torch.__version__, 'threads': torch.get_num_threads(), **found}))


if __name__ == '__main__':
  main()
