"""VisDA-2017: from renderings of twelve kinds of objects to photographs of them.

  python -m experiments.visda2017 --method=mcc

Peng et al.: *VisDA: The Visual Domain Adaptation Challenge* (arXiv 1710.06924, 2017); where to get
it is in the README. Protocol `visda2017`: ResNet-101 from ImageNet at 224 pixels, 32 images of each
domain a step, 20,000 steps; all renderings are labelled, all photographs of the validation set
train without labels, and test.

Published target accuracy over all photographs (TLLib, best epoch by target accuracy; most papers
quote the mean of the twelve classes' accuracies, which is another number):
  source only 56.9, DAN 67.2, JAN 70.3, AFN 74.4, DANN 74.9, CDAN 76.5, MCD 76.7, MDD 79.8, MCC 80.4

Not measured here: scripts/reproduce.py visda2017 makes the table, where the data are. Every start
hashes all images, and so decodes them once.
"""

from experiments import objects, rows
from experiments.common import main
from tlda.data import protocols

PAIRS = protocols.get('visda2017').pairs
_PERCENT = {
  'source_only': (56.9,),
  'dan': (67.2,),
  'jan': (70.3,),
  'afn': (74.4,),
  'dann': (74.9,),
  'cdan': (76.5,),
  'mcd': (76.7,),
  'mdd': (79.8,),
  'mcc': (80.4,),
}

# An evaluation is of some 200,000 images.
EXPERIMENT = objects.experiment(
  'visda2017', __doc__, PAIRS, _PERCENT, eval_every=5_000, checkpoint_every=5_000
)
SELECTIONS = objects.SELECTIONS
TABLE = rows.every([*_PERCENT], PAIRS)

if __name__ == '__main__':
  main(EXPERIMENT)
