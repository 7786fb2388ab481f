"""What a named protocol does to the flags of a run."""

from collections.abc import Mapping
from typing import Any

from tlda.data import protocol, protocols
from tlda.errors import UserError


def defaults(name: str, own: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the defaults of an experiment under a protocol: what that fixes, and a pair of it.

  Args:
    name: Of the protocol; empty, or a name of the user's own, changes nothing.
    own: The defaults of the experiment.

  Raises:
    UserError: There is no such protocol.
  """
  if not _is_registered(name):
    return dict(own)
  known = protocols.get(name)
  pair = (own['source'], own['target'])
  source, target = pair if pair in known.pairs else known.pairs[0]
  return {**own, **known.fixed, 'source': source, 'target': target}


def settled(experiment: str, parsed: Mapping[str, Any]) -> str:
  """Returns the name under which a run is reported.

  Args:
    experiment: Its name.
    parsed: All flags.

  Returns:
    The protocol that was asked for, or else the one that the run follows, or `EXPERIMENT/custom`.

  Raises:
    UserError: The run departs from the protocol that was asked for.
  """
  name = parsed['protocol']
  if not name:
    return protocols.find(parsed) or f'{experiment}/custom'
  found = protocols.get(name).departures(parsed) if _is_registered(name) else []
  if found:
    raise UserError(
      f'--protocol={name} is not followed ({"; ".join(found)}): leave out what departs from it, or '
      f'name the protocol {protocols.CUSTOM}...'
    )
  return name


def fingerprint(name: str) -> str | None:
  """Returns the hash of all that a protocol fixes, its data included; None of a user's own."""
  return protocol.fingerprint(name, protocols.get(name)) if name in protocols.names() else None


def _is_registered(name: str) -> bool:
  return bool(name) and not name.startswith(protocols.CUSTOM)
