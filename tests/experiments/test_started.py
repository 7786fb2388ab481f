"""Runs that begin with what another has learned: what their inputs are, and what is refused."""

import pytest

from experiments import common, digits, saved
from tests.experiments import trained
from tlda import methods
from tlda.errors import UserError
from tlda.training.run import Run

DEFAULTS = {**common.DEFAULTS, **digits.EXPERIMENT.defaults}


def built(method: str, *words: str) -> Run:
  """The run that flags describe, which is not trained."""
  flags = f'--method={method} --source=sklearn_digits --target=mnist_mini --image_size=16'
  argv = ['digits', *flags.split(), '--backbone=lenet', f'--init_from={trained.folder()}', *words]
  values = common.absl_flags.FlagValues()
  parsed, kind = common.flags.parse(argv, DEFAULTS, values)
  return common.build(digits.EXPERIMENT, kind, parsed | {'experiment': 'digits'}, '')


def test_a_network_that_is_started_from_goes_on_seeing_its_inputs() -> None:
  """Its means are of other domains than the new ones."""
  run = built('source_only')
  assert run.preprocessing == saved.load(trained.folder()).preprocessing
  assert len(run.preprocessing.mean) == 1


def test_an_old_head_is_of_the_same_seed() -> None:
  run = built('lwf', '--seeds=1,')
  wanted = saved.load(trained.folder()).variables[1]['params']['head']['logits']['kernel']
  assert isinstance(run.method, methods.LwF)
  assert (run.given['params.old_head.logits.kernel'] == wanted[None]).all()
  for seeds in ('--seeds=3', '--seeds=7,'):
    with pytest.raises(UserError, match=r'has seeds \[0, 1\], and not \['):
      built('lwf', seeds)


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--backbone=mnist_net'], '--backbone=lenet, and its weights fit no other: not mnist_net'),
    (['--bottleneck=8'], '--bottleneck=-1, and its weights fit no other: not 8'),
  ],
)
def test_no_part_of_a_network_is_left_as_it_was_drawn(words: list[str], sentence: str) -> None:
  with pytest.raises(UserError, match=f'was trained with {sentence}'):
    built('source_only', *words)
  assert built('source_only', '--bottleneck=0', '--transfer=adapter').initial is not None
