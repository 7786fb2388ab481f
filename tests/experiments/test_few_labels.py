"""--labels_per_class: which training sets become small, and what of them is said."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from absl import flags as absl_flags

from experiments import common, digits, flags
from experiments.problem import with_few_labels
from tests import problem
from tests.problem import CLASSES
from tlda import data
from tlda.errors import UserError
from tlda.methods import DANN, DIRTT, AdaBN, Method, SourceOnly, TargetOnly
from tlda.methods.few_labels import MME
from tlda.training.run import Run


@pytest.mark.parametrize(
  ('method', 'few_of_source', 'few_of_target'),
  [
    (SourceOnly, True, False),
    (DANN, True, False),
    (TargetOnly, False, True),
    # These read the target alone, but their first stages the source.
    (DIRTT, True, False),
    (AdaBN, True, False),
  ],
)
def test_labelled_training_sets_become_small(
  method: type[Method], few_of_source: bool, few_of_target: bool
) -> None:
  source, target = (problem.domain(name, seed) for seed, name in enumerate(('left', 'right'), 1))
  (own,), other = with_few_labels(method, [source], target, 3)
  for before, after, few in ((source, own, few_of_source), (target, other, few_of_target)):
    assert after.test is before.test
    if not few:
      assert after is before
      continue
    np.testing.assert_array_equal(np.bincount(after.train.labels), [3] * CLASSES)
    known, drawn = (
      {(x.tobytes(), y) for x, y in zip(split.inputs, split.labels, strict=True)}
      for split in (before.train, after.train)
    )
    assert len(drawn) == 3 * CLASSES
    assert drawn < known


@pytest.mark.parametrize('method', [TargetOnly, MME])
def test_labels_of_what_is_measured_are_not_learned(method: type[Method]) -> None:
  target = problem.domain('right', 2)
  whole = dataclasses.replace(target, test=data.Split(target.train.inputs, target.train.labels))
  source = problem.domain('left', 1)
  assert with_few_labels(DANN, [source], whole, 0) == ([source], whole)
  for per_class in (0, 3):
    with pytest.raises(UserError, match='it would be measured by what it was told'):
      with_few_labels(method, [source], whole, per_class)


def test_none_leaves_all() -> None:
  domain = problem.domain('left', 1)
  assert with_few_labels(DANN, [domain], domain, 0) == ([domain], domain)


def build(*argv: str) -> Run:
  defaults = {**common.DEFAULTS, **digits.EXPERIMENT.defaults}
  parsed, method = flags.parse(['digits', *argv], defaults, absl_flags.FlagValues())
  return common.build(digits.EXPERIMENT, method, parsed, '')


PAIR = ('--source=mnist_mini', '--target=mnist_photo', '--workdir=unused')


def test_a_run_says_what_was_drawn() -> None:
  whole, few, again = (
    build(*PAIR, f'--labels_per_class={n}', f'--seeds={seeds}')
    for n, seeds in ((0, '1'), (4, '1'), (4, '7,'))
  )
  assert few.data == again.data, 'one draw for all seeds'
  assert few.data['mnist_mini']['examples'] == {'train': 40, 'test': 2000}
  assert few.method.spec.sources[0].examples == 40
  for split, same in (('train', False), ('test', True)):
    hashes = [run.data['mnist_mini']['sha256'][split] for run in (whole, few)]
    assert (hashes[0] == hashes[1]) == same
  assert few.data['mnist_photo'] == whole.data['mnist_photo']


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
  for argv, sentence in (
    (['--labels_per_class=-1'], '--labels_per_class must be 0 or above, not -1'),
    (['--labels_per_class=5000'], '5000 examples of each class were asked for'),
    (
      ['--method=mme', '--target_labels_per_class=5000'],
      r'5000 examples of each class were asked for, and class \d has \d+',
    ),
    (['--augment=crop'], "unknown augmentation 'crop': did you mean 'crop_flip'"),
  ):
    with pytest.raises(UserError, match=sentence):
      build(*PAIR, *argv)


def test_an_augmentation_is_chosen_by_name() -> None:
  assert build(*PAIR).augment is None
  assert build(*PAIR, '--augment=randaugment').augment == 'randaugment'
