"""What a run would do to every parameter, as a text table."""

import jax
import numpy as np

from tlda.training import plan
from tlda.training.run import Run
from tlda.transfer import Schedule, Strategy
from tlda.transfer.strategy import Layers


def table(run: Run, strategy: Strategy, layers: Layers, schedule: Schedule) -> str:
  """Returns a line for each parameter: its layer, shape, count, and rate over the training.

  Args:
    run: The run.
    strategy: Which weights its optimizer moves.
    layers: The names of the backbone's parts, layer by layer.
    schedule: The learning rate of what is new.
  """
  rows = plan.parameters(run, strategy, layers, schedule)
  steps = [f'step {step}' for step in plan.steps(run)]
  lines = [['parameter', 'layer', 'shape', 'count', *steps]]
  for row in rows:
    layer = 'new' if row.leaf.is_new else str(row.leaf.depth)
    rates = [f'{rate:.3g}' for rate in row.rates] if row.moves else ['frozen'] * len(steps)
    shape = 'x'.join(map(str, row.shape))
    lines.append([row.leaf.path, layer, shape, f'{row.count:,}', *rates])
  moving, whole = (sum(row.count for row in some) for some in ([r for r in rows if r.moves], rows))
  memory = _bytes(plan.shapes(run).optimizer) / 2**20
  return '\n'.join(
    [
      *_aligned(lines),
      '',
      f'{moving:,} of {whole:,} parameters move ({100 * moving / whole:.2f} %); '
      f'the optimizer holds {memory:.3g} MiB a seed',
    ]
  )


def _bytes(tree: object) -> int:
  return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _aligned(lines: list[list[str]]) -> list[str]:
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  return [
    '  '.join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
    for line in lines
  ]
