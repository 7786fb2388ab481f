"""What a number was made with: versions of packages, and the commit of this checkout."""

import functools
import importlib.metadata
import platform
import subprocess
from pathlib import Path


@functools.cache
def versions() -> dict[str, str]:
  """Returns the versions of Python and of the packages that numbers depend on."""
  packages = ('jax', 'jaxlib', 'flax', 'optax', 'numpy', 'scikit-learn', 'orbax-checkpoint')
  found = {name: importlib.metadata.version(name) for name in packages}
  return {'python': platform.python_version(), **found}


@functools.cache
def commit() -> str | None:
  """Returns this checkout's commit, with '+' if files were changed; None outside of git.

  It is that of the first call: a checkout may move on while a long program runs, its code not.
  """
  git = lambda *words: subprocess.run(
    ['git', '-C', str(Path(__file__).parent), *words], capture_output=True, text=True, check=True
  ).stdout.strip()
  try:
    return git('rev-parse', 'HEAD') + ('+' if git('status', '--porcelain', '-uno') else '')
  except (OSError, subprocess.CalledProcessError):
    return None
