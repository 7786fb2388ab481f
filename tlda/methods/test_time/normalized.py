"""The base of methods at test time that normalise each batch by its own statistics."""

from typing import ClassVar

from tlda.methods import needs
from tlda.methods.batch import Examples
from tlda.methods.method import Outputs
from tlda.methods.test_time.online import Online


class Normalized(Online):
  """Normalises each batch of the stream by its own statistics.

  The running ones, by which `__call__` predicts, follow them.
  """

  normalization: ClassVar[str | None] = 'joint'

  def check(self, batch_size: int) -> None:
    """Refuses a single class, a batch of one, and a network without batch normalisation."""
    needs.classes(self)
    needs.examples(self, batch_size)
    needs.batch_normalization(self)

  def by_batch(self, examples: Examples) -> Outputs:
    """Predicts with the statistics of the batch, and without dropout in the head."""
    features = self.extractor(examples.inputs, domain=examples.domain, train=True)
    return Outputs(features, self.head(features, domain=examples.domain, train=False))
