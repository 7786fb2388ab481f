"""Compiled programs, kept from one start to the next."""

import os
from pathlib import Path

import jax


def use_cache() -> None:
  """Keeps compiled programs in the user's cache folder, which only the user may write.

  Whoever can write it can run code as its reader, so a folder that others may write is not used.
  """
  if os.environ.get('JAX_COMPILATION_CACHE_DIR'):
    return
  base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
  folder = Path(base) / 'tlda' / 'compiled'
  try:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o022:
      return
  except OSError:
    return
  jax.config.update('jax_compilation_cache_dir', str(folder))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.5)
