"""Demo: digits on white paper teach a network to read digits on photographs; adaptation helps.

  ./scripts/demo.sh

Trains on the source alone, with domain-adversarial adaptation (Ganin et al., 2016), and, as the
upper bound, on the labelled target; then writes one page that compares them. Needs no data but what
comes with the repository (5,000 MNIST images) and with scikit-learn (two photographs).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.common import Experiment, guarded, launch, summary
from tlda import report
from tlda.training import parallel

FOLDER = Path('runs') / 'demo'
METHODS = ('source_only', 'dann', 'target_only')

EXPERIMENT = Experiment(
  name='demo',
  doc=__doc__,
  defaults={
    'source': 'mnist_mini',
    'target': 'mnist_photo',
    'protocol': 'demo/photo',
    'steps': 1_200,
    'seeds': '3',
    'log_every': 100,
    'eval_every': 300,
    'checkpoint_every': 600,
  },
)


def demo(argv: Sequence[str]) -> None:
  """Trains the three methods, or one that the flags name, and writes the page."""
  if any(word.lstrip('-') in ('help', 'h') for word in argv):
    launch(EXPERIMENT, argv)
    return
  results, folders = [], [FOLDER / method for method in METHODS]
  for method, folder in zip(METHODS, folders, strict=True):
    print(f'\n{method}')
    own = [argv[0], *argv[1:], f'--method={method}', f'--workdir={folder}']
    results.append(launch(EXPERIMENT, own))
  if parallel.is_first_host():
    page = FOLDER / 'index.html'
    report.write(folders, page)
    print('\n' + '\n'.join(map(summary, results)))
    print(f'page: {page.resolve().as_uri()}')


if __name__ == '__main__':
  sys.exit(guarded(lambda: demo(sys.argv)))
