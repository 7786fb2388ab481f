"""The sentence for a name that is not known."""

from tlda.errors import nearest


def test_nearest_names() -> None:
  known = ['source_only', 'dann', 'target_only']
  expected = "unknown method 'dan': did you mean 'dann'? (known: dann, source_only, target_only)"
  assert nearest('method', 'dan', known) == expected
  assert nearest('table', 'zzz', ['digits']) == "unknown table 'zzz' (known: digits)"
