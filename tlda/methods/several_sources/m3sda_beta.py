"""Moment matching for several sources, with a pair of classifiers (Peng et al., 2019)."""

import dataclasses
from typing import Annotated

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.mcd import MCD
from tlda.methods.method import Phase, Terms
from tlda.methods.several_sources.m3sda import moment_distance
from tlda.ranges import LogUniform


class M3SDABeta(MCD):
  """Matches moments as `m3sda`, and lets two classifiers find the target that is still far.

  Peng, Bai, Xia, Huang, Saenko, Wang: *Moment Matching for Multi-Source Domain Adaptation*, ICCV
  2019, section 3 (M3SDA-beta). The three phases of `mcd`, on all sources, of which the first

    A  task:  min over all  L_task(head) + L_task(other_head) + weight sum_j (...)

  also minimises the distance between moments of `m3sda`. A single source works too.

  Departs from the paper as `m3sda` does: one pair of classifiers knows all sources, as in the
  authors' code, and `head` predicts.

  Attributes:
    weight: Of the distance between moments.
    moments: Their highest order.
  """

  weight: Annotated[float, LogUniform(1e-4, 0.1)] = 0.01
  moments: int = 2

  def check(self, batch_size: int) -> None:
    """Refuses what `mcd` and `m3sda` refuse."""
    super().check(batch_size)
    needs.examples(self, batch_size)
    needs.at_least(self, 1, 'moments')
    needs.at_least(self, 0, 'weight')

  def phases(self) -> tuple[Phase, ...]:
    """Returns A, with moments, B and C."""
    task, *others = super().phases()
    return dataclasses.replace(task, objective='aligned'), *others

  def aligned(self, batch: Batch, context: Context) -> Terms:
    """Phase A: both classifiers learn the sources, and the moments are drawn together."""
    source, target = (
      self.forward(part.inputs, part.domain, train=True).features
      for part in (batch.source.flat(), batch.target.flat())
    )
    distance = moment_distance(source, target, self.moments)
    return {**self.objective(batch, context), 'moments': self.weight * distance}
