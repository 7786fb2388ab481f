"""Every shallow baseline on the bags of SURF words of Office-Caltech10, 12 pairs.

  python scripts/reproduce.py office_caltech_surf
  python -m experiments.office_caltech_surf --method=jda --jda.iterations=5

Gong, Shi, Sha, Grauman: *Geodesic Flow Kernel for Unsupervised Domain Adaptation* (CVPR 2012): ten
classes of four domains, 800 words. All source examples are labelled, all target examples are seen
without labels and tested, as in most papers on this set. Rows are divided by their sum, then
columns are standardised in each domain. Every setting is the method's default, the same for all
pairs, but the price c of an error of a support vector machine, by cross-validation on the source.

The published rows are those of the benchmark page of jindongwang/transferlearning, which does not
say all settings: dimension 30, the kernel of TCA and JDA, and the Gaussian kernel of the support
vector machine are found by trying what gives its rows.

Measured: experiments/results/office_caltech_surf.md; scripts/reproduce.py office_caltech_surf makes
it again.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from experiments import shallow
from experiments.common import Experiment, guarded
from tlda import shallow as methods

PROTOCOL = 'office_caltech/surf'
_NAME = 'office_caltech/surf/{}/all'
# Caltech, Amazon, webcam, DSLR: the order of the published rows.
DOMAINS = tuple(map(_NAME.format, ('caltech10', 'amazon', 'webcam', 'dslr')))
_ORDER = (
  (0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2),
)  # fmt: skip
PAIRS = tuple((DOMAINS[source], DOMAINS[target]) for source, target in _ORDER)
_GAUSSIAN = 'svm, Gaussian kernel'

# In percent, in the order of PAIRS.
_PUBLISHED = {
  'nearest_neighbour': (23.7, 25.8, 25.5, 26, 29.8, 25.5, 19.9, 23, 59.2, 26.3, 28.5, 63.4),
  _GAUSSIAN: (53.1, 41.7, 47.8, 41.7, 31.9, 44.6, 28.8, 27.6, 78.3, 26.4, 26.2, 52.5),
  'pca': (39.5, 34.6, 44.6, 39, 35.9, 33.8, 28.2, 29.1, 89.2, 29.7, 33.2, 86.1),
  'tca': (45.6, 39.3, 45.9, 42, 40, 35.7, 31.5, 30.5, 91.1, 33, 32.8, 87.5),
  'gfk': (46, 37, 40.8, 40.7, 37, 40.1, 24.8, 27.6, 85.4, 29.3, 28.7, 80.3),
  'jda': (43.1, 39.3, 49, 40.9, 38, 42, 33, 29.8, 92.4, 31.2, 33.4, 89.2),
  'coral': (52.1, 46.4, 45.9, 45.1, 44.4, 39.5, 33.7, 36, 86.6, 33.8, 37.7, 84.7),
}

EXPERIMENT = Experiment(
  name='office_caltech_surf',
  doc=__doc__,
  defaults={'method': 'coral', 'source': DOMAINS[1], 'target': DOMAINS[2]},
  published={
    (PROTOCOL, *pair, method): {
      'value': round(value / 100, 4),
      'reference': 'jindongwang/transferlearning, data/benchmark.md',
      'note': 'collected there from several papers',
    }
    for method, values in _PUBLISHED.items()
    for pair, value in zip(PAIRS, values, strict=True)
  },
)

_SEPARABLE = (
  'weights multiply the price of an error: where cross-validation chooses a c of 0.01, as for '
  'webcam and dslr, machines separate the source without one, and rows are nearly those of svm'
)
NOTES = {
  _GAUSSIAN: 'the published row but for webcam → caltech10: its own mean there, 41.1, is that of '
  '21.2, not of the 28.8 that it says',
  'gfk': 'the published row says neither its dimension nor its preparation; no even dimension '
  'from 2 to 60, of features standardised, scaled to length 1 or both, gives it on all pairs',
  'coral': 'the published row does not say its c: with 0.0007 instead of what cross-validation '
  'chooses (0.001 or 0.01), all six pairs from caltech10 and amazon are within 2.1 points of it',
  **dict.fromkeys(('kliep', 'kmm', 'ulsif'), _SEPARABLE),
}

_FIRST = ('nearest_neighbour', 'svm')


def _rows() -> list[str]:
  """Returns the flags of each run: what adapts nothing first, then every method by its name."""
  others = [name for name in methods.names() if name not in _FIRST]
  kinds = ['nearest_neighbour', 'svm', 'svm --svm.kernel=gaussian', *others]
  return [
    f'--method={kind} --source={source} --target={target}'
    for kind in kinds
    for source, target in PAIRS
  ]


TABLE = tuple(_rows())


def named(flags: Mapping[str, Any]) -> str:
  """Returns what a row of the table is called."""
  return _GAUSSIAN if flags.get('svm.kernel') == 'gaussian' else flags['method']


def launch(argv: Sequence[str]) -> dict[str, Any] | None:
  """Runs one baseline, which draws no page; returns what its `result.json` holds.

  Args:
    argv: The command line, program name first.

  Raises:
    UserError: Whatever the user got wrong.
  """
  words = [word for word in argv if not word.startswith('--report=')]
  return shallow.launch(EXPERIMENT, words, named)


if __name__ == '__main__':
  sys.exit(guarded(lambda: launch(sys.argv)))
