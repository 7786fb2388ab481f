"""What a protocol fixes, and how a run departs from it."""

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tlda.data.domains import Domain
from tlda.errors import UserError

Pair = tuple[str, str]
# Domain to `{'examples': {'train', 'test'}, 'sha256': {'train', 'test'}}`, as a run records it.
Data = Mapping[str, Mapping[str, Mapping[str, Any]]]

# Written by `scripts/hash_protocols.py`.
HASHES = Path(__file__).with_name('protocols.json')

# What is so in every protocol that does not say otherwise.
_PLAIN = {
  'bottleneck': -1,
  'weights': '',
  'batch_size': 64,
  'image_size': 0,
  'source_classes': '',
  'target_classes': '',
  'labels_per_class': 0,
  'augment': 'none',
}


@dataclasses.dataclass(frozen=True)
class Protocol:
  """What is fixed. Learning rates and the weights of terms are hyper-parameters, and are not.

  Attributes:
    about: Whose it is, and where it departs from theirs.
    pairs: (source, target) by the names of domains; several sources are joined by commas.
    fixed: Settings by the names of their flags: network, length, sizes, label sets.
  """

  about: str
  pairs: tuple[Pair, ...]
  fixed: Mapping[str, Any]

  def departures(self, settings: Mapping[str, Any]) -> list[str]:
    """Returns what a run does otherwise, each as a few words; nothing where it follows.

    Args:
      settings: Of the run, by the names of flags, `source` and `target` among them. What it does
        not have (a shallow baseline has no network) it cannot do otherwise.
    """
    pair = (settings['source'], settings['target'])
    found = [] if pair in self.pairs else [f'it has no pair {pair[0]} -> {pair[1]}']
    return found + [
      f'--{name} is {_shown(value)} there, {_shown(settings[name])} here'
      for name, value in self.fixed.items()
      if settings.get(name, value) != value
    ]


def pairs(domains: Sequence[str]) -> tuple[Pair, ...]:
  """Returns each domain as the source of each other."""
  return tuple(itertools.permutations(domains, 2))


def left_out(domains: Sequence[str]) -> tuple[Pair, ...]:
  """Returns each domain as the target of all others."""
  others = lambda target: ','.join(domain for domain in domains if domain != target)
  return tuple((others(target), target) for target in domains)


def fixed(*, without: tuple[str, ...] = (), **settings: Any) -> dict[str, Any]:
  """Returns what a protocol fixes: what is plain in most of them, and its own settings.

  Args:
    without: Flags that it leaves free.
    **settings: By the names of flags.
  """
  whole = {**_PLAIN, **settings}
  return {name: value for name, value in whole.items() if name not in without}


def facts(domain: Domain) -> dict[str, dict[str, Any]]:
  """Returns how many examples each split of a domain has, and a hash of them."""
  return {
    'examples': {'train': len(domain.train), 'test': len(domain.test)},
    'sha256': {'train': domain.train.sha256, 'test': domain.test.sha256},
  }


def check_data(name: str, data: Data) -> None:
  """Refuses data that are not those of a protocol.

  Features that a network extracted, and corrupted images, are computed, and differ in their last
  bits from machine to machine: their hash is not known here.

  Args:
    name: Of the protocol.
    data: What was loaded, domain to counts and hashes.

  Raises:
    UserError: A count or a hash is another one; both are shown.
  """
  for domain, known in hashes().get(name, {}).items():
    own = data.get(domain, known)
    for split, wanted in known['sha256'].items():
      if own['sha256'][split] != wanted:
        raise UserError(
          f'--protocol={name} has other data: {domain} {split} is '
          f'{_told(known, split)} there, {_told(own, split)} here'
        )


@functools.cache
def hashes() -> Mapping[str, Data]:
  """Returns what the data of each protocol are, domain by domain, where that is known."""
  return json.loads(HASHES.read_text()) if HASHES.exists() else {}


def fingerprint(name: str, protocol: Protocol) -> str:
  """Returns a hash of all that a protocol fixes, its data included: sha256 in hexadecimal."""
  whole = {**dataclasses.asdict(protocol), 'data': hashes().get(name, {})}
  return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _told(data: Mapping[str, Mapping[str, Any]], split: str) -> str:
  return f'{data["examples"][split]:,} examples {data["sha256"][split][:12]}'


def _shown(value: Any) -> str:
  return 'empty' if value == '' else str(value)
