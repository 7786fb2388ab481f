"""What a number says that it was made with."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from experiments import provenance


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
  """A checkout with one commit that has this module in it."""
  results = tmp_path / 'experiments' / 'results'
  results.mkdir(parents=True)
  shutil.copy(provenance.__file__, tmp_path / 'experiments')
  for path in (results / 'digits.json', tmp_path / 'README.md', tmp_path / 'code.py'):
    path.write_text('before')
  git = ['git', '-C', str(tmp_path), '-c', 'user.name=a', '-c', 'user.email=a@b']
  for words in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'all']):
    subprocess.run([*git, *words], check=True)
  return tmp_path


def commit(checkout: Path) -> str | None:
  """Returns what a program that starts in a checkout would say."""
  path = checkout / 'experiments' / 'provenance.py'
  spec = importlib.util.spec_from_file_location('own_provenance', path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module.commit()


def test_changed_code_is_marked_and_changed_tables_are_not(checkout: Path) -> None:
  clean = commit(checkout)
  assert len(clean) == 40
  (checkout / 'experiments' / 'results' / 'digits.json').write_text('after')
  (checkout / 'README.md').write_text('after')
  (checkout / 'new.txt').write_text('untracked')
  assert commit(checkout) == clean
  (checkout / 'code.py').write_text('after')
  assert commit(checkout) == f'{clean}+'


def test_outside_of_git_there_is_no_commit(tmp_path: Path) -> None:
  (tmp_path / 'experiments').mkdir()
  shutil.copy(provenance.__file__, tmp_path / 'experiments')
  assert commit(tmp_path) is None
