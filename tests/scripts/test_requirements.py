"""The exact versions of the lock are within the bounds, on each Python that it knows."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def _read(name: str) -> list[Requirement]:
  lines = (line.partition('#')[0].strip() for line in (ROOT / name).read_text().splitlines())
  return [Requirement(line) for line in lines if line]


def _locked(python: str) -> dict[str, str]:
  locked = {}
  for pin in _read('requirements.lock'):
    if pin.marker is None or pin.marker.evaluate({'python_version': python}):
      name = canonicalize_name(pin.name)
      assert name not in locked, f'{name} is locked twice'
      locked[name] = str(pin.specifier).removeprefix('==')
  return locked


@pytest.mark.parametrize('python', ['3.11', '3.12', '3.13'])
@pytest.mark.parametrize(
  'name', ['requirements.txt', 'requirements-test.txt', 'requirements-weights.txt']
)
def test_the_lock_is_within_the_bounds(name: str, python: str) -> None:
  locked = _locked(python)
  for requirement in _read(name):
    version = locked[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f'{requirement} but {version} is locked'


def test_each_python_has_its_jax() -> None:
  assert _locked('3.11')['jax'].startswith('0.10.')
  assert _locked('3.12')['jax'].startswith('0.12.')
