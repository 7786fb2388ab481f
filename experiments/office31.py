"""Office-31: the six pairs of a shop's pictures, a camera's and a webcam's.

  python -m experiments.office31 --method=dann --target=office31/webcam/all

Saenko, Kulis, Fritz, Darrell: *Adapting Visual Category Models to New Domains* (ECCV 2010); where
to get it is in the README. Protocol `office31`: ResNet-50 from ImageNet at 224 pixels, 32 images of
each domain a step, 20,000 steps, random crops mirrored at random; all source images are labelled,
all target images train without labels, and test.

Published target accuracy (TLLib, best epoch by target accuracy), mean of the six pairs:
  source only 79.5, DAN 83.7, DANN 86.1, MCD 85.4, JAN 87.0, CDAN 87.7, AFN 88.6, MDD 89.6, MCC 89.6

Not measured here: scripts/reproduce.py office31 makes the table, where the data are.
"""

from experiments import objects, rows
from experiments.common import main

PAIRS = tuple(
  (f'office31/{source}/all', f'office31/{target}/all')
  for source, target in (
    ('amazon', 'webcam'), ('dslr', 'webcam'), ('webcam', 'dslr'),
    ('amazon', 'dslr'), ('dslr', 'amazon'), ('webcam', 'amazon'),
  )
)  # fmt: skip
_PERCENT = {
  'source_only': (75.8, 95.5, 99.0, 79.3, 63.6, 63.8),
  'dan': (84.2, 98.4, 100.0, 87.3, 66.9, 65.2),
  'dann': (91.4, 97.9, 100.0, 83.6, 73.3, 70.4),
  'mcd': (90.4, 98.5, 100.0, 87.3, 68.3, 67.6),
  'jan': (93.7, 98.4, 100.0, 89.4, 69.2, 71.0),
  'cdan': (93.8, 98.5, 100.0, 89.9, 73.4, 70.4),
  'afn': (94.0, 98.9, 100.0, 94.4, 72.9, 71.1),
  'mdd': (95.6, 98.6, 100.0, 94.4, 76.6, 72.2),
  'mcc': (94.1, 98.4, 99.8, 95.6, 75.5, 74.2),
}

EXPERIMENT = objects.experiment('office31', __doc__, PAIRS, _PERCENT)
SELECTIONS = objects.SELECTIONS
TABLE = rows.every([*_PERCENT], PAIRS)

if __name__ == '__main__':
  main(EXPERIMENT)
