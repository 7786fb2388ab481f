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
  Tables of results, the README's too, are no code: one that was made again changes nothing for the
  next.
  """
  git = lambda *words: subprocess.run(
    ['git', '-C', str(Path(__file__).parent), *words], capture_output=True, text=True, check=True
  ).stdout.strip()
  try:
    apart = [f':(top,exclude){place}' for place in ('experiments/results', 'README.md')]
    changed = git('status', '--porcelain', '-uno', '--', ':/', *apart)
    return git('rev-parse', 'HEAD') + ('+' if changed else '')
  except (OSError, subprocess.CalledProcessError):
    return None
