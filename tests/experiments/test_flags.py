"""Flags from fields, from files, and from mistakes."""

import re
from pathlib import Path
from typing import Any

import pytest
from absl import flags as absl_flags

from experiments import common, digits, flags, text
from tlda import methods, transfer
from tlda.errors import UserError
from tlda.methods import Method, SourceOnly

DEFAULTS = {**common.DEFAULTS, **digits.EXPERIMENT.defaults}


def parse(*argv: str) -> tuple[dict[str, Any], type[Method]]:
  return flags.parse(['digits', *argv], DEFAULTS, absl_flags.FlagValues())


class MyMethod(SourceOnly):
  """A method of somebody's own.

  Attributes:
    strength: How much of it,
      in a help text of two lines.
    rounds: How often.
    loud: Whether it speaks.
    mode: Which way.
  """

  strength: float = 2
  rounds: int = 3
  loud: bool = False
  mode: str = 'up'


class Odd(SourceOnly):
  """A method with a field that cannot be a flag."""

  sizes: tuple[int, ...] = (1, 2)


def test_fields_become_flags_with_types_defaults_and_help() -> None:
  values = absl_flags.FlagValues()
  names = flags.define_fields(flags.prefix('here:MyMethod', MyMethod), MyMethod, values)
  assert names == ['my_method.strength', 'my_method.rounds', 'my_method.loud', 'my_method.mode']
  found = {name: (values[name].value, values[name].help) for name in names}
  assert found == {
    'my_method.strength': (2.0, 'How much of it, in a help text of two lines.'),
    'my_method.rounds': (3, 'How often.'),
    'my_method.loud': (False, 'Whether it speaks.'),
    'my_method.mode': ('up', 'Which way.'),
  }
  assert isinstance(found['my_method.strength'][0], float)


def test_method_by_import_path() -> None:
  path = 'tests.experiments.test_flags:MyMethod'
  parsed, method = parse(f'--method={path}', '--my_method.strength=0.5', '--my_method.loud')
  assert method.__name__ == 'MyMethod'
  assert (parsed['my_method.strength'], parsed['my_method.loud']) == (0.5, True)


@pytest.mark.parametrize('words', [('--method=dann',), ('--method', 'dann'), ('-method=dann',), ()])
def test_the_method_is_found_before_parsing(words: tuple[str, ...]) -> None:
  parsed, method = parse(*words, '--dann.weight=0.5')
  assert method is methods.DANN
  assert parsed['dann.weight'] == 0.5


def test_an_experiment_has_defaults_of_fields() -> None:
  words = ['text', '--learning_rate=0.1']
  defaults = {**common.DEFAULTS, **text.EXPERIMENT.defaults}
  parsed, _ = flags.parse(words, defaults, absl_flags.FlagValues())
  assert parsed['fine_tune.backbone_rate'] == 0.1  # As the experiment's text says.
  assert parse('--transfer=fine_tune')[0]['fine_tune.backbone_rate'] == 1.0


def test_flag_file(tmp_path: Path) -> None:
  file = tmp_path / 'flags'
  file.write_text('--method=source_only\n--steps=7\n')
  parsed, method = parse(f'--flagfile={file}', '--batch_size=8')
  assert method is methods.SourceOnly
  assert (parsed['steps'], parsed['batch_size']) == (7, 8)


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--method=dannn'], "unknown method 'dannn': did you mean 'dann'"),
    (['--method=no.such:Thing'], 'cannot be imported'),
    (['--method=tlda.errors:UserError'], 'no subclass'),
    (['--method=tests.experiments.test_flags:Odd'], 'Odd.sizes is tuple'),
    (['--stepz=3'], "unknown flag 'stepz': did you mean 'steps'"),
    (['--dann.wait=3'], "did you mean 'dann.weight'"),
    (['--steps=many'], 'steps'),
    (['--flagfile=/no/such/file'], '--flagfile cannot be read'),
    (['mnist'], "'mnist' is no flag"),
    (['--method='], "unknown method ''"),
    (['--transfer='], "unknown transfer strategy ''"),
    (['--report=maybe'], 'flag --report=maybe: neither true nor false'),
    (['--dann.weight=nan'], '--dann.weight must be a finite number, not nan'),
  ],
)
def test_mistakes_in_flags(words: list[str], sentence: str) -> None:
  with pytest.raises(UserError, match=sentence.replace('(', r'\(')):
    parse(*words)


@pytest.mark.parametrize(
  ('text', 'seeds'), [('1', (0,)), ('3', (0, 1, 2)), ('0,5,7', (0, 5, 7)), ('4,', (4,))]
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
  assert common.parse_seeds(text) == seeds


@pytest.mark.parametrize('text', ['0', '-1', '', '1,1', 'two', '1.5', '-3,4'])
def test_mistakes_in_seeds(text: str) -> None:
  with pytest.raises(UserError, match='--seeds'):
    common.parse_seeds(text)


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--backbone=lennet'], "unknown backbone 'lennet': did you mean 'lenet'"),
    (['--source=minst_mini'], "did you mean 'mnist_mini'"),
    (['--optimizer=sdg'], "did you mean 'sgd'"),
    (['--schedule=cos'], "did you mean 'cosine'"),
    (['--method=adabn', '--normalization=ibn'], 'adabn needs --normalization=joint, not ibn'),
    (['--method=dsbn', '--normalization=frozen'], 'needs --normalization=per_domain, not frozen'),
    (['--normalization=joined'], "did you mean 'joint'"),
    (['--distribute=pmp'], "did you mean 'pmap'"),
    (['--steps=0'], '--steps must be above 0'),
    (['--learning_rate=-1'], '--learning_rate must be above 0'),
    (['--learning_rate=nan'], '--learning_rate must be above 0'),
    (['--momentum=1'], r'--momentum must be in \[0, 1\)'),
    (['--seeds=0'], '--seeds=0'),
    (['--batch_size=12'], 'cannot be shared evenly by 8 devices'),
    (['--data_dir=/no/such/folder', '--source=usps'], 'USPS|usps'),
    (['--target=tfds:no_such_set', '--data_dir=/no/such'], 'no_such_set'),
    (['--validators=snd,sdn'], "unknown validator 'sdn': did you mean 'snd'"),
    (['--select=iwcv'], 'iwcv measures the source, which is the target here'),
    (['--init_from=/no/such/run'], 'holds no checkpoint'),
    (['--transfer=linear_probe'], 'freezes weights that were never trained'),
    (['--workdir=gs://bucket/run'], '--workdir=gs://bucket/run needs another package'),
  ],
)
def test_mistakes_leave_with_code_2_and_one_sentence(
  words: list[str], sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
  base = ['demo', '--source=mnist_mini', '--target=mnist_mini', f'--workdir={tmp_path / "run"}']
  base += ['--steps=2']
  from experiments import demo

  code = common.guarded(lambda: common.launch(demo.EXPERIMENT, [*base, *words]))
  said = capfd.readouterr().err
  assert code == 2
  assert re.search(sentence, said), said
  assert 'Traceback' not in said
  assert len(said.strip().splitlines()) == 1
  assert not (tmp_path / 'run' / 'result.json').exists()


def test_workdir_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
  from experiments import demo

  (tmp_path / 'file').write_text('')
  argv = ['demo', '--source=mnist_mini', '--target=mnist_mini', '--steps=2']
  argv += [f'--workdir={tmp_path / "file" / "run"}']
  assert common.guarded(lambda: common.launch(demo.EXPERIMENT, argv)) == 2
  assert 'cannot be written' in capfd.readouterr().err


def test_help_lists_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
  assert common.launch(digits.EXPERIMENT, ['digits', '--help', '--method=dann']) is None
  said = capsys.readouterr().out
  assert 'Ganin et al.' in said
  listed = set(re.findall(r'^  --([\w.]+)', said, re.MULTILINE))
  own = {'dann.weight', 'fine_tune.backbone_rate'}
  assert listed == {*flags.NAMES, *own}
  for name, default in DEFAULTS.items():
    expected = default if name != 'method' else 'dann'
    assert f'  --{name}={expected}\n' in said
  assert max(map(len, said.splitlines())) <= 110


def test_helpfull_lists_every_method_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
  assert common.launch(digits.EXPERIMENT, ['digits', '--helpfull']) is None
  said = capsys.readouterr().out
  for name in methods.names():
    assert f'\n--method={name}: ' in said
    for field in flags.fields(methods.get(name)):
      assert f'\n  --{name}.{field}=' in said
  for name in transfer.names():
    assert f'\n--transfer={name}: ' in said
    for field in flags.fields(transfer.get(name)):
      assert f'\n  --{name}.{field}=' in said
