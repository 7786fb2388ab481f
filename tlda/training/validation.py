"""What validators are shown of a checkpoint, and what they say of it."""

from collections.abc import Callable, Sequence

import numpy as np

from tlda.data import Domain, Split
from tlda.evaluation import validators
from tlda.evaluation.validators.mixval import SHARE
from tlda.training import parallel
from tlda.training.evaluate import Evaluator, sample_rows
from tlda.training.run import Run, unscorable
from tlda.training.state import TrainState

# Examples of a split that are looked at: one call of the network, and few enough that scoring
# costs less than the measurement of whole test splits.
ROWS = 512
# Scores differ by less only by rounding, which is not to choose.
_DECIMALS = 6

Views = dict[str, np.ndarray]


class Validation:
  """The validators of a run, and the examples that they look at: the same at every step.

  Of the source they see training and test examples, these with their labels; of the target its
  training examples, as the method does, and no label.
  """

  def __init__(self, run: Run, evaluator: Evaluator, say: Callable[[str], None]) -> None:
    """Finds which validators can be scored; says of those that cannot.

    Args:
      run: The run.
      evaluator: Of its network.
      say: Takes a line for the user.
    """
    self._run, self._evaluator = run, evaluator
    asked = sorted({*run.validators, run.select} & set(validators.names()))
    reasons = unscorable(run)
    self._names = [name for name in asked if name not in reasons]
    self._views = frozenset().union(*map(validators.sees, self._names))
    for reason in dict.fromkeys(reasons[name] for name in asked if name in reasons):
      names = [name for name in asked if reasons.get(name) == reason]
      say(f'validators left out: {", ".join(names)} ({"each " * (len(names) > 1)}{reason})')
    if 'source_test_labels' in self._views and not run.is_held_out:
      say(
        'the source is tested on what it trains on: rules that see its labels see what was learned'
      )

  def scores(self, states: Sequence[TrainState]) -> dict[str, list[float]]:
    """Returns `validator/NAME` of every validator, a list over seeds; the higher, the better.

    The first host computes them, so that all hosts choose alike.
    """
    if not self._names:
      return {}
    seen = self._seen(states)
    table = np.zeros((len(self._run.seeds), len(self._names)))
    if parallel.is_first_host():
      for place, row in enumerate(table):
        own = {view: array[place] for view, array in seen.items()}
        row[:] = list(validators.score_all(self._names, own).values())
    table = parallel.from_first_host(np.round(table, _DECIMALS))
    return {
      f'validator/{name}': column.tolist()
      for name, column in zip(self._names, table.T, strict=True)
    }

  def _seen(self, states: Sequence[TrainState]) -> Views:
    """Returns what the validators see, each array with a leading dimension of seeds."""
    seen = {}
    for split in ('train', 'test'):
      if any(view.startswith(f'source_{split}') for view in self._views):
        seen |= self._of_sources(states, split)
    if any(view.startswith('target_train') for view in self._views):
      seen |= self._of_target(states)
    return seen

  def _of_sources(self, states: Sequence[TrainState], split: str) -> Views:
    """Returns features, logits and labels of examples of all sources, an equal share of each."""
    sources = self._run.sources
    found = [
      self._outputs(states, source, split, branch, ROWS // len(sources))
      for branch, source in enumerate(sources)
    ]
    return {
      f'source_{split}_{name}': np.concatenate([own[name] for own in found], axis=1)
      for name in ('features', 'logits', 'labels')
    }

  def _outputs(
    self, states: Sequence[TrainState], source: Domain, split: str, branch: int, most: int
  ) -> Views:
    examples = getattr(source, split)
    rows = self._rows(examples, most)
    outputs = self._evaluator.outputs(states, examples, branch, rows=rows)
    labels = np.broadcast_to(examples.labels[rows], (len(self._run.seeds), len(rows)))
    return {'features': outputs.features, 'logits': outputs.logits, 'labels': labels}

  def _of_target(self, states: Sequence[TrainState]) -> Views:
    """Returns features and logits of the target's examples, and logits of their mixtures."""
    split, branch = self._run.target.train, self._run.method.spec.target_domain
    rows = self._rows(split, ROWS)
    outputs = self._evaluator.outputs(states, split, branch, rows=rows)
    seen = {'target_train_features': outputs.features, 'target_train_logits': outputs.logits}
    if 'target_train_mixed_logits' in self._views:
      partners = np.stack([validators.partners(own.argmax(-1)) for own in outputs.logits])
      inputs = split.fetch(rows)
      mixtures = [_mixed(inputs, own) for own in partners]
      mixed = self._evaluator.outputs_of_each(states, mixtures, branch)
      seen['target_train_mixed_logits'] = mixed.logits
      seen['target_train_partner_logits'] = np.take_along_axis(
        outputs.logits, partners[..., None], axis=1
      )
    return seen

  def _rows(self, split: Split, most: int) -> np.ndarray:
    return sample_rows(split, self._run.method.spec.input_shape, most)


def _mixed(inputs: np.ndarray, partners: np.ndarray) -> Split:
  """Returns each example mixed with its partner, stored as these are; nobody reads the labels."""
  mixed = SHARE * inputs.astype(np.float32) + (1 - SHARE) * inputs[partners]
  mixed = np.round(mixed) if np.issubdtype(inputs.dtype, np.integer) else mixed
  return Split(mixed.astype(inputs.dtype), np.zeros(len(inputs), np.int32))
