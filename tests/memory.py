"""Compiled programs stay in memory, in places of their own, of which a process has only so many."""

from pathlib import Path

import jax

_PLACES, _MOST = Path('/proc/self/maps'), Path('/proc/sys/vm/max_map_count')  # Linux.


def bound() -> None:
  """Forgets all compiled programs where they take half of what a process may have, or who knows.

  What is forgotten sooner is compiled again: tiny programs that all tests have in common most. Past
  the bound XLA ends the process.
  """
  if not _PLACES.exists() or 2 * len(_PLACES.read_bytes().splitlines()) > int(_MOST.read_text()):
    jax.clear_caches()
