"""The base of methods that adapt a trained source run to a target, and see no source."""

from typing import ClassVar

from tlda.methods import needs
from tlda.methods.method import Method


class SourceFree(Method):
  """Adapts to a target what was trained on a source, whose data are not read.

  With --init_from=WORKDIR of a source run they need not be there; without it the source run is
  trained first.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target'})
  first_stage: ClassVar[str | None] = 'source_only'

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a batch that cannot have several."""
    needs.classes(self)
    needs.examples(self, batch_size)
