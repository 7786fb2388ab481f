"""Compiled programs stay in memory, and those of all tests together take gigabytes."""

import os
from pathlib import Path

import jax

# Of each process that shares the tests. What is forgotten sooner is compiled again: tiny programs
# that all tests have in common most of all.
LIMIT = 3 * 2**30
_PAGES = Path('/proc/self/statm')


def bound() -> None:
  """Forgets all compiled programs where this process holds too much, or does not know how much."""
  if not _PAGES.exists() or _resident() > LIMIT:
    jax.clear_caches()


def _resident() -> int:
  """Returns the bytes that this process holds in memory."""
  return int(_PAGES.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')
