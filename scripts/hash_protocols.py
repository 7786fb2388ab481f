"""Writes what the data of each named protocol are: `tlda/data/protocols.json`.

  python scripts/hash_protocols.py             every protocol whose data are here
  python scripts/hash_protocols.py digits/adda this one; the others stay

A run whose data have another hash is refused, so that this is only to be run where a protocol is
new, or was changed on purpose. Reads the data as the runs do, with `TLDA_DATA_DIR`; those that a
user fetches (`tlda.data.fetched`) are left out where they are not, unless they are named. What is
computed on a device (features, corrupted images) may differ in its last bits from one to the other,
and is left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import common, problem  # noqa: E402
from tlda import methods  # noqa: E402
from tlda.data import fetched, protocols  # noqa: E402
from tlda.data.protocol import HASHES, Protocol, facts, hashes  # noqa: E402
from tlda.errors import UserError  # noqa: E402

COMPUTED = ('npz:', 'corrupted:')


def hash_data(protocol: Protocol) -> dict[str, Any]:
  """Returns counts and hashes of all domains of a protocol, by name.

  Raises:
    UserError: Data are missing.
  """
  found: dict[str, Any] = {}
  for source, target in protocol.pairs:
    flags = {**common.DEFAULTS, **protocol.fixed, 'source': source, 'target': target}
    loaded = problem.load({**flags, 'data_dir': None, 'init_from': None})
    few = protocol.fixed['labels_per_class']
    sources, own = problem.with_few_labels(methods.TargetOnly, *loaded, few)
    read = {domain.name: domain for domain in (*sources, own)}
    computed = [name for name in read if name.startswith(COMPUTED)]
    known = {*found, *computed}
    found |= {name: facts(domain) for name, domain in read.items() if name not in known}
  return found


def main(chosen: list[str]) -> int:
  """Hashes the data of the protocols; returns the exit code."""
  if {'-h', '--help'} & set(chosen):
    print(__doc__.strip())
    return 0
  found = dict(hashes())
  for name in chosen or protocols.names():
    protocol = protocols.get(name)
    if all(source.startswith(COMPUTED) for source, _ in protocol.pairs):
      continue
    try:
      found[name] = hash_data(protocol)
    except UserError as error:
      if chosen or name not in fetched.PROTOCOLS:
        raise
      print(f'{name}: left out ({error})', flush=True)
      continue
    print(f'{name}: {len(found[name])} domains', flush=True)
  HASHES.write_text(json.dumps(dict(sorted(found.items())), indent=1) + '\n')
  return 0


if __name__ == '__main__':
  try:
    sys.exit(main(sys.argv[1:]))
  except UserError as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
