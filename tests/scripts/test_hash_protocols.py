"""The hashes of protocols, from the command line."""

import pytest

from scripts import hash_protocols


def test_help_is_no_protocol(capsys: pytest.CaptureFixture[str]) -> None:
  assert hash_protocols.main(['--help']) == 0
  assert capsys.readouterr().out.startswith('Writes what the data of each named protocol are')
