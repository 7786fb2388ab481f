import pytest

from tlda.report import text


def test_percentages_have_two_places() -> None:
  assert text.percent(0.7666) == '76.66'
  assert text.percent(1) == '100.00'


def test_differences_have_a_sign() -> None:
  assert text.difference(0.012) == '+1.20'
  assert text.difference(-0.0035) == '−0.35'
  assert text.difference(-0.00004) == '+0.00'


def test_probabilities_and_commits() -> None:
  assert [text.probability(p) for p in (0.03125, 0.001, 0.0004)] == ['0.031', '0.001', '<0.001']
  assert text.commit('0123456789abcdef') == '0123456789ab'
  assert text.commit('0123456789abcdef+') == '0123456789ab+'


def test_arrow_names_all_sources() -> None:
  assert text.arrow(['mnist'], 'usps') == 'mnist → usps'
  assert text.arrow(['a', 'b'], 'c') == 'a + b → c'
  assert text.arrow(['npz:runs/a.npz'], 'folder:/x/b.c') == 'a → b'
  assert text.arrow(['tfds:mnist'], 'pacs/photo') == 'tfds:mnist → pacs/photo'


def test_span() -> None:
  assert text.span([8600, 8600]) == '8,600'
  assert text.span([3, 1, 3]) == '1 to 3'


@pytest.mark.parametrize(
  ('value', 'expected'),
  [
    ({'train': 60000, 'test': 10000}, 'train 60,000, test 10,000'),
    ([0, 1], '0, 1'),
    (True, 'True'),
    (None, '–'),
    (0.01, '0.01'),
  ],
)
def test_compact(value: object, expected: str) -> None:
  assert text.compact(value) == expected
