"""The base of methods that adapt at test time: a batch comes, is answered, and moves something."""

from typing import ClassVar

import jax

from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method


class Online(Method):
  """Answers each batch of an unlabelled stream at once, with what it has seen so far.

  A training step is one batch of the stream. `answer` is what counts there (see
  `tlda.training.stream`); `__call__`, which predicts for one example by itself, is what is left
  behind.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target'})
  first_stage: ClassVar[str | None] = 'source_only'

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns what is said of the batch as it comes, with the state before its own step.

    Args:
      batch: The examples on this device, without labels.
      context: Of the step that this batch is about to make.

    Returns:
      `[batch, classes]` logits of the target's examples, or any scores of which the highest counts.
    """
    raise TypeError(f'{type(self).__name__} has no answer')
