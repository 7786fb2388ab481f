"""MNIST to USPS and back without the source's data (Liang et al., 2020).

  python -m experiments.source_free --method=source_only --steps=28140 --workdir=runs/of_mnist
  python -m experiments.source_free --method=shot --init_from=runs/of_mnist

The second command reads no data of the source. Schedule and losses are those of Liang, Hu, Feng:
*Do We Really Need to Access the Source Data?*, ICML 2020, and of its code: both stages last 30
epochs of what they read, in batches of 64, by SGD with Nesterov momentum 0.9, weight decay 0.001
and a learning rate of 0.01 / (1 + 10 p)^0.75; the source has smoothed labels (0.1); the target is
labelled anew before each epoch, and these labels weigh 0.1.

Departs from their code: this LeNet has its 500 units before the bottleneck of 256, ReLU behind it
and no dropout, and a head without weight normalisation; USPS is the whole of 7,291 and 2,007
digits (theirs: 7,438 and 1,860) and not moved or turned at random where it is the source; the
source run of the last step is taken (theirs: the best on the source's test examples).

Published target accuracy (their results.md, three seeds):
  MNIST to USPS  source only .797, SHOT-IM .977, SHOT .979
  USPS to MNIST  source only .880, SHOT-IM .976, SHOT .980

scripts/reproduce.py source_free makes the table.
"""

from experiments.common import Experiment, main
from tlda.data import protocols

PROTOCOL = 'digits/shot2020'
# 30 epochs of each domain, in steps of 64 examples.
STEPS = {'mnist': 28_140, 'usps': 3_420}
PAIRS = protocols.get(PROTOCOL).pairs
_PUBLISHED = {
  'source_only': (0.797, 0.880),
  'shot_im': (0.977, 0.976),
  'shot': (0.979, 0.980),
}

EXPERIMENT = Experiment(
  name='source_free',
  doc=__doc__,
  defaults={
    'method': 'shot',
    'target': 'usps',
    **protocols.get(PROTOCOL).fixed,
    'steps': STEPS['usps'],
    'optimizer': 'nesterov',
    'weight_decay': 1e-3,
    'label_smoothing': 0.1,
    'shot.weight': 0.1,
    'shot.labellings': 30,
  },
  published={
    (PROTOCOL, *pair, method): {
      'value': value,
      'reference': 'tim-learn/SHOT, results.md',
      'note': 'another LeNet and another sample of USPS there',
    }
    for method, values in _PUBLISHED.items()
    for pair, value in zip(PAIRS, values, strict=True)
  },
)


def _rows(source: str, target: str) -> list[str]:
  """Returns the flags of the source run of a pair, and of the runs that start from it."""
  pair = f'--source={source} --target={target} --seeds=3'
  folder = f'runs/tables/source_free/source_only-{source}-{target}-3-{STEPS[source]}'
  adapted = f'{pair} --steps={STEPS[target]} --init_from={folder}'
  methods = ('shot_im', 'shot', 'aad')
  return [
    f'--method=source_only {pair} --steps={STEPS[source]}',
    *(f'--method={method} {adapted}' for method in methods),
  ]


# The rows of the results table, each the flags of a run.
TABLE = tuple(row for pair in PAIRS for row in _rows(*pair))

if __name__ == '__main__':
  main(EXPERIMENT)
