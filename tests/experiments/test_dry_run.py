"""What --dry_run says of every parameter, and what it refuses."""

from pathlib import Path

import pytest

from experiments import common, digits

FLAGS = (
  '--method=source_only --source=mnist_mini --target=sklearn_digits --image_size=16 '
  '--backbone=lenet --steps=11 --schedule=cosine --learning_rate=1'
)


def run(*words: str) -> int:
  argv = ['digits', *FLAGS.split(), *words]
  return common.guarded(lambda: common.launch(digits.EXPERIMENT, argv))


def rows(said: str) -> dict[str, list[str]]:
  return {line.split()[0]: line.split()[1:] for line in said.partition('\n\n')[0].splitlines()}


def test_every_parameter_has_its_rates_until_the_last_step(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  words = ['--transfer=lp_ft', '--lp_ft.backbone_rate=0.5', f'--workdir={tmp_path / "run"}']
  assert run('--dry_run', *words) == 0
  said = capsys.readouterr().out
  table = rows(said)
  # Half a cosine over 11 steps, of which the last is the 10th from 0: (1 + cos(10 pi / 11)) / 2.
  title = ' '.join(said.splitlines()[0].split())
  assert title.endswith('count step 0 step 2 step 5 step 8 step 10')
  assert table['head/logits/bias'] == ['new', '10', '10', '1', '0.921', '0.571', '0.173', '0.0203']
  assert table['extractor/conv1/bias'][3:] == ['0', '0', '0', '0.0863', '0.0101']
  assert not (tmp_path / 'run').exists()


def test_what_no_phase_trains_is_frozen(capsys: pytest.CaptureFixture[str]) -> None:
  assert run('--dry_run', '--method=shot_im') == 0
  table = rows(capsys.readouterr().out)
  assert table['head/logits/kernel'][3:] == ['frozen'] * 5
  assert table['extractor/dense/kernel'][3] == '1'


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--transfer=freeze', '--freeze.pattern=conv9'], "did you mean 'conv"),
    (['--transfer=lora', '--lora.pattern=conv9'], "did you mean 'conv"),
    (['--transfer=gradual_unfreezing', '--gradual_unfreezing.groups=-1'], 'must be 0 or above'),
  ],
)
def test_what_fits_nothing_is_refused_below_the_table(
  words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
  assert run('--dry_run', *words) == 2
  said = capsys.readouterr()
  assert 'head/logits/bias' in rows(said.out)
  assert sentence in said.err
  assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize('words', [['--dry_run'], []])
def test_what_is_no_regular_expression_is_refused(
  words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  flags = ['--transfer=freeze', '--freeze.pattern=(', f'--workdir={tmp_path / "run"}']
  assert run(*words, *flags) == 2
  assert '--freeze.pattern=( is no regular expression' in capsys.readouterr().err
