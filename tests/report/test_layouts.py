"""Tables with a line for each method, checked cell by cell."""

from typing import Any

import pytest

from tlda.errors import UserError
from tlda.report import layouts
from tlda.report.formats import markdown


def entry(method: str, source: str, rule: str, mean: float, **more: Any) -> dict[str, Any]:
  return {
    'protocol': 'p',
    'method': method,
    'source': [source],
    'target': 't',
    'seeds': [0, 1, 2],
    'selection': rule,
    'target_test_mean': mean,
    'target_test_std': 0.01,
    'published': None,
    'command': 'python -m experiments.x',
    'commit': '0123456789abcdef',
    'data': {'t': {'sha256': 'a' * 64}},
    **more,
  }


def lines(rows: list[dict[str, Any]]) -> list[str]:
  return markdown.draw(rows).splitlines()


def test_several_rules_are_columns_and_each_pair_is_a_table() -> None:
  published = {'value': 0.6, 'reference': 'Somebody 2020, Table 1'}
  rows = [
    entry('dann', source, rule, mean, published=published if source == 'a' else None)
    for source in 'ab'
    for rule, mean in (('last', 0.5), ('oracle', 0.75))
  ]
  found = lines(rows)
  assert '| Method | last | oracle (uses target labels) | Published | Difference | Seeds |' in found
  assert '| dann | 50.00 ± 1.00 | 75.00 ± 1.00 | 60.00 | −10.00 | 3 |' in found
  assert '| dann | 50.00 ± 1.00 | 75.00 ± 1.00 | – | – | 3 |' in found
  assert sum(line.startswith('**p**') for line in found) == 2
  assert '- Published: Somebody 2020, Table 1' in found
  assert '- commits: <code>0123456789ab</code>' in found


def test_many_pairs_are_columns_with_means_and_published_lines_beneath() -> None:
  published = {'value': 0.8, 'reference': 'r'}
  rows = [
    entry('mcc', source, rule, mean + place / 10, published=published)
    for place, source in enumerate('abcd')
    for rule, mean in (('last', 0.4), ('oracle', 0.5))
  ]
  rows += [entry('bnm', source, 'last', 0.3, note='falls | behind') for source in 'abc']
  found = lines(rows)
  assert found[2] == (
    '| Method | a → t | b → t | c → t | d → t | Mean, last | Mean, oracle (uses target labels) |'
  )
  assert found[4] == (
    '| mcc | 40.00 ± 1.00 | 50.00 ± 1.00 | 60.00 ± 1.00 | 70.00 ± 1.00 | 55.00 | 65.00 |'
  )
  assert found[5] == '| bnm* | 30.00 ± 1.00 | 30.00 ± 1.00 | 30.00 ± 1.00 | – | – | – |'
  assert found[6] == '| mcc, published | 80.00 | 80.00 | 80.00 | 80.00 | 80.00 | – |'
  assert '- \\* bnm: falls \\| behind' in found


def test_runs_of_two_commits_are_shown_and_not_averaged() -> None:
  rows = [entry('source_only', source, 'last', 0.5) for source in 'abcd']
  rows += [entry('mcc', source, 'last', 0.6) for source in 'ab']
  rows += [entry('mcc', source, 'last', 0.7, commit='fedcba9876543210+') for source in 'cd']
  found = lines(rows)
  assert found[4].endswith('| 50.00 |')
  first, second = '60.00 ± 1.00', '70.00 ± 1.00'
  assert found[5] == f'| mcc at 0123456789ab | {first} | {first} | – | – | – |'
  assert found[6] == f'| mcc at fedcba987654+ | – | – | {second} | {second} | – |'
  commits = '- commits: <code>0123456789ab</code>, <code>fedcba987654+</code>'
  assert commits in found


def table(mean: str) -> layouts.Table:
  cells = ['a', '10.00 ± 1.00', '20.00', '40.00', mean, '99.00']
  return layouts.Table('', ['', 'x', 'y', 'z', 'Mean', 'Other'], 'lrrrrr', [cells], averaged=3)


def test_a_printed_mean_must_be_that_of_the_printed_numbers() -> None:
  """70 / 3 is 23.33; each number may be off by half of the last digit."""
  for mean in ('23.33', '23.34', '–'):
    layouts.check_means(table(mean))
  with pytest.raises(UserError, match=r'the mean of a is printed as 23\.36, .* have 23\.33'):
    layouts.check_means(table('23.36'))


def test_means_of_what_is_published_are_checked_too() -> None:
  published = {'value': 0.8, 'reference': 'r'}
  rows = [entry('mcc', source, 'last', 0.4, published=published) for source in 'abcd']
  (section,) = layouts.sections(rows)
  (drawn,) = section.tables
  assert drawn.averaged == 4
  assert [line[0] for line in drawn.lines] == ['mcc', 'mcc, published']


def test_a_table_of_single_runs_shows_notes_too() -> None:
  rows = [entry('dann', 'a', 'last', 0.5), entry('bnm', 'a', 'last', 0.3, note='falls behind')]
  drawn = markdown.draw(rows)
  assert '| bnm* |' in drawn
  assert '| dann |' in drawn
  assert '- \\* bnm: falls behind\n' in drawn


def test_a_domain_that_has_two_hashes_is_shown_with_both() -> None:
  whole, part = ({'t': {'sha256': letter * 64}} for letter in 'ab')
  rows = [entry('dann', 'a', 'last', 0.5, data=whole), entry('mcc', 'a', 'last', 0.5, data=part)]
  both = f't <code>{"a" * 12}</code>, t <code>{"b" * 12}</code>'
  assert f'- sha256: {both}' in lines(rows)


def test_the_caption_of_many_pairs_says_which_step_their_cells_are_of() -> None:
  own = lambda rule: [entry('mcc', source, rule, 0.4) for source in 'abcd']
  assert any('each pair at the last step' in line for line in lines(own('last')))
  assert any('each pair at the step of snd' in line for line in lines(own('snd')))
