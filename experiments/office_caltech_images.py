"""Adaptation of a pretrained network, all of it: the 12 pairs of Office-Caltech10 as images.

  python -m experiments.office_caltech_images --method=mcc --target=office_caltech/dslr/all

Gong, Shi, Sha, Grauman: *Geodesic Flow Kernel for Unsupervised Domain Adaptation* (CVPR 2012). What
`office_caltech` learns on fixed features is learned here with every weight of EfficientNet-Lite0
moving from its ImageNet weights, the backbone at a tenth of the rate: 100 steps of 16 + 16 images
of 96 pixels. The statistics of batch normalisation stay those of ImageNet: 100 steps are too few
for running averages to follow (see the table `fine_tune`). All source images are labelled, all
target images train without labels, and test.

Not measured yet: scripts/reproduce.py office_caltech_images makes the table.
"""

from experiments import office_caltech, rows
from experiments.common import Experiment, main
from experiments.objects import SETTINGS
from tlda.data import protocols

METHODS = office_caltech.METHODS
PROTOCOL = 'office_caltech/images'
PAIRS = protocols.get(PROTOCOL).pairs

EXPERIMENT = Experiment(
  name='office_caltech_images',
  doc=__doc__,
  defaults={
    **protocols.get(PROTOCOL).fixed,
    **SETTINGS,
    'source': PAIRS[0][0],
    'target': PAIRS[0][1],
    'normalization': 'frozen',
    'log_every': 20,
    'eval_every': 100,
    'checkpoint_every': 100,
  },
)

TABLE = rows.every(METHODS, PAIRS, seeds=1)

if __name__ == '__main__':
  main(EXPERIMENT)
