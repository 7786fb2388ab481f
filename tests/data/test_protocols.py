"""A protocol is what it says, and a run that does otherwise is not told under its name."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from experiments import common, digits, flags, protocol
from scripts import hash_protocols, reproduce
from tests.data import twins
from tlda import data
from tlda.data import fetched, protocols
from tlda.data.protocol import HASHES, Protocol, check_data, facts, fingerprint, hashes
from tlda.errors import UserError


def following(name: str, **others: Any) -> dict[str, Any]:
  """Returns all flags of a run that follows a protocol, but for some."""
  own = {**common.DEFAULTS, 'protocol': name}
  return {**protocol.defaults(name, own), **others}


@pytest.mark.parametrize('name', protocols.names())
def test_every_protocol_names_what_there_is(name: str) -> None:
  own = protocols.get(name)
  assert own.about.endswith('.')
  assert set(own.fixed) <= set(flags.NAMES)
  assert len(set(own.pairs)) == len(own.pairs)
  named = {each for source, target in own.pairs for each in (*source.split(','), target)}
  known = {domain for domain in named if not domain.startswith(hash_protocols.COMPUTED)}
  assert {domain.removesuffix('/all') for domain in known} <= set(data.names())
  # Of data that a user fetches, hashes are known once someone has had them: then of all.
  unknown = name in fetched.PROTOCOLS and name not in hashes()
  assert set(hashes().get(name, {})) == (set() if unknown else known)


def test_no_two_protocols_are_the_same() -> None:
  prints = {fingerprint(name, protocols.get(name)) for name in protocols.names()}
  assert len(prints) == len(protocols.names())


@pytest.mark.parametrize('name', protocols.names())
def test_a_run_that_follows_is_told_under_its_name(name: str) -> None:
  assert protocol.settled('mine', following(name)) == name
  assert protocol.settled('mine', following(name) | {'protocol': ''}) == name


def test_a_run_that_departs_is_custom_or_refused() -> None:
  other = following('digits/adda', steps=999, target='mnist_m')
  assert protocol.settled('mine', other | {'protocol': ''}) == 'mine/custom'
  assert protocol.settled('mine', other | {'protocol': 'custom/short'}) == 'custom/short'
  with pytest.raises(UserError) as refused:
    protocol.settled('mine', other)
  assert str(refused.value) == (
    '--protocol=digits/adda is not followed (it has no pair adda/mnist -> mnist_m; --steps is 1000 '
    'there, 999 here): leave out what departs from it, or name the protocol custom/...'
  )


def test_an_unknown_protocol_is_refused_by_its_nearest() -> None:
  with pytest.raises(UserError, match='digits/adda'):
    protocol.settled('mine', following('') | {'protocol': 'digits/ada'})


def test_the_flag_brings_what_the_protocol_fixes(capsys: pytest.CaptureFixture[str]) -> None:
  common.launch(digits.EXPERIMENT, ['digits', '--protocol=moons', '--dry_run', '--seeds=1'])
  shown = capsys.readouterr().out
  assert 'domain_classifier' in shown
  assert 'Conv' not in shown, 'the network is not that of the protocol'


def test_data_of_another_hash_are_refused_and_both_shown() -> None:
  own = data.load('moons/0')
  check_data('moons', {'moons/0': facts(own)})
  swapped = dataclasses.replace(own.train, labels=1 - own.train.labels)
  changed = dataclasses.replace(own, train=swapped)
  known, other = facts(own)['sha256']['train'][:12], changed.train.sha256[:12]
  with pytest.raises(UserError) as refused:
    check_data('moons', {'moons/0': facts(changed)})
  assert str(refused.value) == (
    f'--protocol=moons has other data: moons/0 train is 1,000 examples {known} there, '
    f'1,000 examples {other} here'
  )


def test_the_fingerprint_knows_pairs_settings_and_data(monkeypatch: pytest.MonkeyPatch) -> None:
  own = Protocol('Mine.', (('a', 'b'),), {'steps': 5})
  others = [
    dataclasses.replace(own, pairs=(('b', 'a'),)),
    dataclasses.replace(own, fixed={'steps': 6}),
  ]
  prints = [fingerprint('mine', each) for each in (own, *others)]
  monkeypatch.setattr('tlda.data.protocol.hashes', lambda: {'mine': {'a': 'other data'}})
  assert len({*prints, fingerprint('mine', own)}) == 4


def test_data_are_those_that_were_hashed(data_dir: Path) -> None:
  known = json.loads(HASHES.read_text())['digits/adda']
  for name in ('adda/mnist', 'adda/usps/4'):
    assert facts(data.load(name, data_dir)) == known[name]


def test_five_draws_differ(data_dir: Path) -> None:
  del data_dir
  drawn = {facts['sha256']['train'] for facts in hashes()['digits/adda'].values()}
  assert len(drawn) == 10


def test_a_user_who_has_the_data_hashes_them(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  twins.syn_signs(tmp_path)
  twins.gtsrb(tmp_path)
  monkeypatch.setenv('TLDA_DATA_DIR', str(tmp_path))
  monkeypatch.setattr(hash_protocols, 'HASHES', tmp_path / 'found.json')
  monkeypatch.setattr(hash_protocols, 'hashes', lambda: {'other': {}})
  monkeypatch.setattr(protocols, 'names', lambda: ['office31', 'signs/dann2016'])
  hash_protocols.main([])
  assert 'office31: left out (office31/amazon/all: ' in capsys.readouterr().out
  found = json.loads((tmp_path / 'found.json').read_text())
  assert found.keys() == {'other', 'signs/dann2016'}
  assert found['signs/dann2016']['gtsrb']['examples'] == {'train': 86, 'test': 43}
  with pytest.raises(UserError, match='office31/amazon/images is missing'):
    hash_protocols.main(['office31'])


def test_every_row_of_a_table_follows_its_protocol() -> None:
  for table in reproduce.TABLES:
    for row in reproduce.rows_of(table, None):
      asked = flags.named('protocol', row)
      assert not asked or asked in protocols.names() or asked.startswith(protocols.CUSTOM)
