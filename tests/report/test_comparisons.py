"""Which differences of a table are told to be larger than the noise."""

from typing import Any

from tests.report.test_layouts import entry
from tlda.report import comparisons, layouts


def known(method: str, source: str, values: list[float], **more: Any) -> dict[str, Any]:
  mean = sum(values) / len(values)
  seeds = list(range(len(values)))
  return entry(method, source, 'last', mean, target_test=values, **{'seeds': seeds} | more)


def line(method: str, gain: float, **more: Any) -> list[dict[str, Any]]:
  return [known(method, source, [0.5 + gain, 0.6 + gain], **more) for source in 'abcd']


def test_eight_equal_gains_are_more_than_noise() -> None:
  """All of eight signs are plus: p is 2 / 256, and twice that for the smaller of two."""
  names = ['base', 'better', 'same']
  found = comparisons.compare(names, [line('base', 0), line('better', 0.02), line('same', 0)])
  assert found.heading == 'Against base (p)'
  assert found.cells == ['–', '+2.00 (0.016)', '+0.00 (1.000)']
  assert 'over 8 pairs of equal domains and seeds' in found.remark
  assert 'methods tested (2)' in found.remark


def test_only_lines_of_the_same_pairs_and_seeds_take_part() -> None:
  unlike = [[*line('short', 0.1)[:3], None], line('seeds', 0.1, seeds=[0, 2])]
  old = [{key: value for key, value in row.items() if key != 'target_test'} for row in unlike[1]]
  names = ['base', 'short', 'seeds', 'old', 'better']
  lines = [line('base', 0), *unlike, old, line('better', -0.02)]
  assert comparisons.compare(names, lines).cells == ['–', '–', '–', '–', '−2.00 (0.008)']
  assert comparisons.compare(names[:4], lines[:4]).remark == ''


def test_what_has_one_source_and_seed_counts_once() -> None:
  """Eight equal gains from four seeds to two targets each: of four signs p is 2 / 16."""
  seeds = {'seeds': [0, 1, 2, 3]}
  pairs = lambda gain: [
    known('m', 'a', [0.5 + gain + place / 10] * 4, target=target, **seeds)
    for place, target in enumerate('xy')
  ]
  names = ['base', 'better']
  few = comparisons.compare(names, [pairs(0), pairs(0.02)])
  assert few.cells == ()
  assert 'with 4 sources and seeds no exact p is below 0.125' in few.remark
  lines = [[*pairs(gain), *line('m', gain)] for gain in (0, 0.02)]
  lines = [[{**row, 'source': ['a', row['source'][0]]} for row in each] for each in lines]
  assert comparisons.compare(names, [each[2:] for each in lines]).cells == ['–', '+2.00 (0.008)']


def test_means_over_targets_are_what_is_flipped() -> None:
  """Of two targets one gains what the other loses, for six seeds: no sign is left."""
  seeds = {'seeds': list(range(6))}
  row = lambda gain, target: known('m', 'a', [0.5 + gain] * 6, target=target, **seeds)
  found = comparisons.compare(
    ['base', 'other'], [[row(0, 'x'), row(0, 'y')], [row(0.1, 'x'), row(-0.1, 'y')]]
  )
  assert found.cells == ['–', '+0.00 (1.000)']
  assert 'over 12 pairs of equal domains and seeds' in found.remark
  assert 'of its 6 means, each of one source and seed over all targets' in found.remark


def test_few_seeds_cannot_tell() -> None:
  base, other = ([known(name, 'a', [0.5, 0.6, 0.7])] for name in ('base', 'other'))
  found = comparisons.compare(['base', 'other'], [base, other])
  assert found.cells == ()
  assert 'with 3 pairs of equal seeds no exact p is below 0.25' in found.remark


def test_a_table_of_many_pairs_has_the_column() -> None:
  rows = [*line('source_only', 0), *line('dann', 0.02, note='a remark')]
  rows[0] = {**rows[0], 'published': {'value': 0.4, 'reference': 'r'}}
  (section,) = layouts.sections(rows)
  (table,) = section.tables
  assert table.columns[-1] == 'Against source_only (p)'
  assert [each[-1] for each in table.lines] == ['–', '+2.00 (0.008)', '–']
  assert len(section.remarks) == 1


def test_runs_are_compared_within_their_pair() -> None:
  values = [0.5, 0.52, 0.54, 0.56, 0.58, 0.6]
  rows = [known('base', source, values) for source in 'ab']
  rows.append(known('other', 'b', [value + 0.01 for value in values]))
  (section,) = layouts.sections(rows)
  (table,) = section.tables
  assert [each[-1] for each in table.lines] == ['–', '–', '+1.00 (0.031)']
