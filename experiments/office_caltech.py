"""Adaptation on the features of a pretrained network: the 12 pairs of Office-Caltech10.

  python scripts/reproduce.py office_caltech
  python -m experiments.office_caltech --method=mcc --target=npz:runs/features/dslr.npz

Gong, Shi, Sha, Grauman: *Geodesic Flow Kernel for Unsupervised Domain Adaptation* (CVPR 2012): ten
classes of four domains. All source images are labelled, all target images train without labels and
test, as in most papers on this set. EfficientNet-Lite0 (ImageNet weights, 128 pixels) looks at each
image once; methods learn a bottleneck of 256 and a head on its 1,280 features, so that a run takes
seconds. `office_caltech_images` moves the weights of the network too.

Measured: experiments/results/office_caltech.md; scripts/reproduce.py office_caltech makes it again.
"""

from experiments import rows
from experiments.common import Experiment, main
from tlda.data import protocols

DOMAINS = ('amazon', 'caltech10', 'dslr', 'webcam')
METHODS = ('source_only', 'dann', 'cdan', 'mcc')
PROTOCOL = 'office_caltech/lite0-128'
PAIRS = protocols.get(PROTOCOL).pairs

EXPERIMENT = Experiment(
  name='office_caltech',
  doc=__doc__,
  defaults={
    **protocols.get(PROTOCOL).fixed,
    'source': protocols.features('amazon'),
    'target': protocols.features('webcam'),
    'learning_rate': 0.01,
    'eval_every': 100,
    'checkpoint_every': 250,
  },
)

# What makes the features that the rows read.
PREPARE = tuple(
  f'--domain=office_caltech/{domain}/all --image_size=128 --out={protocols.place(domain)}'
  for domain in DOMAINS
)
SELECTIONS = ('last', 'source_accuracy', 'oracle')
TABLE = rows.every(METHODS, PAIRS, seeds=5)

if __name__ == '__main__':
  main(EXPERIMENT)
