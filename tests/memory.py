"""Compiled programs stay in memory, and those of all tests together take gigabytes."""

import os
from pathlib import Path

import jax

_PAGES = Path('/proc/self/statm')  # Linux; elsewhere nobody says what a process holds.


def bound() -> None:
  """Forgets all compiled programs where the processes that share the tests hold half the memory.

  What is forgotten sooner is compiled again: tiny programs that all tests have in common most.
  """
  sharing = int(os.environ.get('PYTEST_XDIST_WORKER_COUNT', 1))
  if not _PAGES.exists() or 2 * sharing * _resident() > os.sysconf('SC_PHYS_PAGES'):
    jax.clear_caches()


def _resident() -> int:
  """Returns the pages of memory that this process holds."""
  return int(_PAGES.read_text().split()[1])
