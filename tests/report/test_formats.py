"""The same numbers in every form."""

import csv
import io

from tests.report.test_comparisons import known
from tests.report.test_layouts import entry
from tlda.report.formats import csv as csv_format
from tlda.report.formats import latex, markdown

_PUBLISHED = {'value': 0.62, 'reference': 'Somebody 2020, "Table" 1'}


def test_csv_has_a_line_a_row() -> None:
  row = known('dann', 'a', [0.5, 0.6], published=_PUBLISHED, protocol_sha256='f' * 64)
  old = entry('mcc, x', 'b', 'oracle', 0.5, measure='h_score', target_test_std=None)
  old = {**old, 'source': ['b', 'c']}
  first, second = csv.DictReader(io.StringIO(csv_format.draw([row, old])))
  assert first == {
    'protocol': 'p',
    'protocol_sha256': 'f' * 64,
    'method': 'dann',
    'source': 'a',
    'target': 't',
    'measure': 'accuracy',
    'selection': 'last',
    'mean': '55.00',
    'std': '1.00',
    'seeds': '0 1',
    'each_seed': '50.00 60.00',
    'published': '62.00',
    'difference': '-7.00',
    'reference': 'Somebody 2020, "Table" 1',
    'command': 'python -m experiments.x',
    'commit': '0123456789abcdef',
  }
  assert (second['method'], second['source'], second['measure']) == ('mcc, x', 'b + c', 'h_score')
  unknown = ('protocol_sha256', 'std', 'each_seed', 'published', 'difference', 'reference')
  assert [second[name] for name in unknown] == [''] * 6


def test_latex_is_set_with_booktabs_and_escaped() -> None:
  drawn = latex.draw([entry('a_b & 50%', 'x', 'last', 0.5, published=_PUBLISHED)])
  assert '{!}{%\n  \\begin{tabular}{llrrrrl}\n    \\toprule\n' in drawn
  assert '\\bottomrule\n  \\end{tabular}}\n\\end{table}\n' in drawn
  line = r'x $\to$ t & a\_b \& 50\% & 50.00 $\pm$ 1.00 & 62.00 & $-$12.00 & 3 & last \\'
  assert f'    {line}\n    \\bottomrule\n' in drawn
  assert '% a_b & 50%, x → t: python -m experiments.x at 0123456789ab\n' in drawn
  assert drawn.count('{') == drawn.count('}')
  assert latex.escape('\\{<[|]>}~^#$\n%') == (
    r'\textbackslash{}\{\textless{}{[}\textbar{}]\textgreater{}\}\textasciitilde{}'
    r'\textasciicircum{}\#\$ \%'
  )


def test_latex_of_many_pairs_has_heads_in_lines_without_their_folder_and_notes_below() -> None:
  rows = [entry('m', f'd/{name}', 'last', 0.5) for name in 'abcd']
  rows = [{**row, 'target': 'd/t', 'note': 'odd [1].'} for row in rows]
  drawn = latex.draw(rows)
  assert r'& \shortstack[r]{a \\ $\to$ t} & \shortstack[r]{b \\ $\to$ t} &' in drawn
  assert r'& \shortstack[r]{Mean \\ last} \\' in drawn
  assert '\\raggedright\\footnotesize *m: odd {[}1].\n\\end{table}\n' in drawn
  assert '| Method | a → t | b → t | c → t | d → t | Mean, last |' in markdown.draw(rows)


def test_markdown_and_latex_have_the_same_cells() -> None:
  rows = [entry('m', source, 'last', place / 7) for place, source in enumerate('abcdef')]
  cells = [cell.strip() for cell in markdown.draw(rows).splitlines()[4].strip('|').split('|')]
  assert cells[-1] == '35.71'  # (0 + ... + 5) / 7 / 6
  assert ' & '.join(cells).replace('±', r'$\pm$') in latex.draw(rows)
