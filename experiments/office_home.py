"""Office-Home: the twelve pairs of art, clip art, shops' pictures and photographs.

  python -m experiments.office_home --method=mcc --target=office_home/product/all

Venkateswara, Eusebio, Chakraborty, Panchanathan: *Deep Hashing Network for Unsupervised Domain
Adaptation* (CVPR 2017); where to get it is in the README. Protocol `office_home`: ResNet-50 from
ImageNet at 224 pixels, 32 images of each domain a step, 20,000 steps, random crops mirrored at
random; all source images are labelled, all target images train without labels, and test.

Published target accuracy (TLLib, best epoch by target accuracy), mean of the twelve pairs:
  source only 58.4, DAN 61.4, DANN 65.2, JAN 65.9, MCD 67.8, AFN 68.2, CDAN 68.8, MDD 69.7, MCC 72.4

Not measured here: scripts/reproduce.py office_home makes the table, where the data are.
"""

from experiments import objects, rows
from experiments.common import main
from tlda.data import protocols

# From art, clip art, shops and photographs, in this order, to the others in the same order.
PAIRS = protocols.get('office_home').pairs
_PERCENT = {
  'source_only': (41.1, 65.9, 73.7, 53.1, 60.1, 63.3, 52.2, 36.7, 71.8, 64.8, 42.6, 75.2),
  'dan': (45.6, 67.7, 73.9, 57.7, 63.8, 66.0, 54.9, 40.0, 74.5, 66.2, 49.1, 77.9),
  'dann': (53.8, 62.6, 74.0, 55.8, 67.3, 67.3, 55.8, 55.1, 77.9, 71.1, 60.7, 81.1),
  'jan': (50.8, 71.9, 76.5, 60.6, 68.3, 68.7, 60.5, 49.6, 76.9, 71.0, 55.9, 80.5),
  'mcd': (51.7, 72.2, 78.2, 63.7, 69.5, 70.8, 61.5, 52.8, 78.0, 74.5, 58.4, 81.8),
  'afn': (53.2, 72.7, 76.8, 65.0, 71.3, 72.3, 65.0, 51.4, 77.9, 72.3, 57.8, 82.4),
  'cdan': (55.2, 72.4, 77.6, 62.0, 69.7, 70.9, 62.4, 54.3, 80.5, 75.5, 61.0, 83.8),
  'mdd': (56.2, 75.4, 79.6, 63.5, 72.1, 73.8, 62.5, 54.8, 79.9, 73.5, 60.9, 84.5),
  'mcc': (58.4, 79.6, 83.0, 67.5, 77.0, 78.5, 66.6, 54.8, 81.8, 74.4, 61.4, 85.6),
}

EXPERIMENT = objects.experiment('office_home', __doc__, PAIRS, _PERCENT)
SELECTIONS = objects.SELECTIONS
TABLE = rows.every([*_PERCENT], PAIRS)

if __name__ == '__main__':
  main(EXPERIMENT)
