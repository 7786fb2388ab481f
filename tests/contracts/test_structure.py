"""The code keeps its shape, and each rule of that shape catches what breaks it."""

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts import structure
from tests.contracts.structure import File

Rule = Callable[[File], Iterator[str]]

ROOT = Path(__file__).resolve().parents[2]
# Medians of the package, docstrings included.
MEDIAN_FILE, MEDIAN_FUNCTION = 130, 12


def _files(*patterns: str) -> list[File]:
  paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
  return [File(str(path.relative_to(ROOT)), path.read_text()) for path in paths]


PACKAGE = _files('tlda/**/*.py')
CODE = PACKAGE + _files('experiments/**/*.py', 'scripts/*.py')
TESTS = _files('tests/**/*.py')
# Named one by one: a checkout may hold .venv and runs as well.
PROJECT = _files(
  '*.md',
  'experiments/**/*.md',
  'tests/**/*.md',
  '*.toml',
  '*.txt',
  '*.lock',
  '.gitignore',
  '.ci/run',
  'scripts/*.sh',
)

RULES = [
  (structure.imports_go_down, CODE),
  (structure.losses_stand_on_little, CODE),
  (structure.devices_stay_in_one_file, CODE),
  (structure.flags_stay_outside, CODE),
  (structure.public_names_have_docstrings, CODE),
  (structure.functions_are_annotated, CODE + TESTS),
  (structure.files_and_functions_are_short, CODE + TESTS),
  (structure.no_machine_is_named, PROJECT + CODE + TESTS),
]


@pytest.mark.parametrize(('rule', 'files'), RULES, ids=lambda x: getattr(x, '__name__', ''))
def test_rule(rule: Rule, files: list[File]) -> None:
  assert files
  wrong = [sentence for file in files for sentence in rule(file)]
  assert not wrong, '\n'.join(wrong)


def test_medians() -> None:
  files = statistics.median(file.text.count('\n') for file in PACKAGE)
  functions = statistics.median(
    structure.length(function) for file in PACKAGE for function in file.functions()
  )
  print(f'median file {files} lines, median function {functions} lines')
  assert files <= MEDIAN_FILE
  assert functions <= MEDIAN_FUNCTION


@pytest.mark.parametrize(
  ('rule', 'path', 'text', 'sentence'),
  [
    (
      structure.imports_go_down,
      'tlda/models/a.py',
      'import tlda.training.fit',
      'models imports training',
    ),
    (
      structure.imports_go_down,
      'tlda/tasks/a.py',
      'from tlda import methods',
      'tasks imports methods',
    ),
    (
      structure.imports_go_down,
      'tlda/methods/a.py',
      'from tlda.data import load',
      'methods imports data',
    ),
    (structure.imports_go_down, 'tlda/losses/a.py', 'from tlda import axis', 'losses imports axis'),
    (
      structure.imports_go_down,
      'tlda/report/a.py',
      'from experiments import x',
      'imports experiments',
    ),
    (structure.imports_go_down, 'tlda/data/a.py', 'from . import b', 'relative'),
    (structure.imports_go_down, 'tlda/attic/a.py', '', 'attic is no room'),
    (structure.losses_stand_on_little, 'tlda/losses/a.py', 'import numpy as np', 'numpy'),
    (structure.losses_stand_on_little, 'tlda/losses/a.py', 'from tlda import axis', 'tlda.axis'),
    (structure.devices_stay_in_one_file, 'tlda/data/a.py', 'n = len(jax.devices())', 'jax.devices'),
    (structure.devices_stay_in_one_file, 'tlda/data/a.py', 'from jax import pmap', 'jax.pmap'),
    (structure.devices_stay_in_one_file, 'tlda/a.py', 'from jax.sharding import Mesh', 'Mesh'),
    (structure.devices_stay_in_one_file, 'tlda/a.py', 'f(x).addressable_shards', 'addressable'),
    (structure.devices_stay_in_one_file, 'tlda/a.py', 'y = jax.lax.pmean(x, "d")', 'pmean outside'),
    (structure.flags_stay_outside, 'tlda/data/a.py', 'from absl import flags', 'absl.flags'),
    (structure.public_names_have_docstrings, 'tlda/a.py', 'x = 1', 'module'),
    (structure.public_names_have_docstrings, 'tlda/a.py', 'def f(): pass', 'f has'),
    (structure.public_names_have_docstrings, 'a.py', 'class A:\n  def g(self): pass', 'g has'),
    (structure.functions_are_annotated, 'a.py', 'def f(x) -> int: pass', 'f: no type for x'),
    (structure.functions_are_annotated, 'a.py', 'def f(*, x: int): pass', 'the result'),
    (structure.functions_are_annotated, 'a.py', 'def f(*xs, **ys) -> int: pass', 'xs, ys'),
    (structure.files_and_functions_are_short, 'a.py', 'x = 1\n' * 301, '301 lines'),
    (structure.files_and_functions_are_short, 'a.py', 'def f():\n' + '  x = 1\n' * 60, '61 lines'),
    (structure.no_machine_is_named, 'a.sh', 'cd /ro' + 'ot/x', '/ro' + 'ot/'),
    (structure.no_machine_is_named, 'a.md', 'see "/tm' + 'p/x"', '/tm' + 'p/'),
  ],
)
def test_a_rule_catches(rule: Rule, path: str, text: str, sentence: str) -> None:
  assert any(sentence in wrong for wrong in rule(File(path, text)))


@pytest.mark.parametrize(
  ('rule', 'path', 'text'),
  [
    (structure.imports_go_down, 'tlda/methods/a.py', 'from tlda import axis, losses\nimport jax'),
    (structure.imports_go_down, 'tlda/data/a.py', 'from tlda.data.b import c'),
    (structure.imports_go_down, 'experiments/a.py', 'from tlda import __version__, training'),
    (structure.losses_stand_on_little, 'tlda/losses/a.py', 'from tlda.losses._b import c'),
    (structure.devices_stay_in_one_file, 'tlda/training/parallel.py', 'jax.devices()'),
    (structure.devices_stay_in_one_file, 'tlda/axis.py', 'lax.pmean(x, AXIS)'),
    (structure.devices_stay_in_one_file, 'tlda/a.py', 'batch.devices, axis.mean(x), jax.PRNGKey'),
    (structure.flags_stay_outside, 'experiments/a.py', 'from absl import flags'),
    (structure.public_names_have_docstrings, 'a.py', '"""A."""\ndef _f(): pass'),
    (structure.functions_are_annotated, 'a.py', 'def f(self, x: int) -> int: pass'),
    (structure.no_machine_is_named, 'a.md', 'runs/home/x, ../work/y and gs://bucket/tmp/x'),
  ],
)
def test_a_rule_allows(rule: Rule, path: str, text: str) -> None:
  assert list(rule(File(path, text))) == []
