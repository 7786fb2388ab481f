"""Domain generalisation: PACS, one domain left out, on the features of a pretrained network.

  python scripts/reproduce.py generalization
  python -m experiments.generalization --method=vrex --target=npz:runs/features/pacs_sketch.npz

Li, Yang, Song, Hospedales: *Deeper, Broader and Artier Domain Generalization* (ICCV 2017): art
paintings, cartoons, photographs and sketches of seven classes. Three domains are learned from, in
batches of their own, and the fourth is only measured; of each, one image in five of a class is held
out, and the sources' held-out images choose the step (training-domain validation).
EfficientNet-Lite0 (ImageNet weights, 96 pixels) looks at each image once; methods learn a
bottleneck of 256 and a head on its 1,280 features, so that a run takes seconds.

Measured: experiments/results/generalization.md; scripts/reproduce.py generalization makes it again.
No method differs from plain training by more than the noise: the features stay as they are.
"""

from experiments import rows
from experiments.common import Experiment, main
from tlda.data import protocols

DOMAINS = ('art_painting', 'cartoon', 'photo', 'sketch')
METHODS = (
  'source_only', 'coral_across', 'mmd_across', 'vrex', 'irm', 'group_dro', 'mixup_across',
)  # fmt: skip
PROTOCOL = protocols.get('pacs/dg, lite0-96')

EXPERIMENT = Experiment(
  name='generalization',
  doc=__doc__,
  defaults={
    'method': 'source_only',
    **PROTOCOL.fixed,
    'source': PROTOCOL.pairs[-1][0],
    'target': PROTOCOL.pairs[-1][1],
    'learning_rate': 0.01,
    'eval_every': 50,
    'checkpoint_every': 250,
  },
)

# What makes the features that the rows read.
PREPARE = tuple(
  f'--domain=pacs/{domain} --image_size=96 --out={protocols.place(f"pacs_{domain}")}'
  for domain in DOMAINS
)
SELECTIONS = ('source_accuracy', 'last', 'oracle')
TABLE = rows.every(METHODS, PROTOCOL.pairs)

if __name__ == '__main__':
  main(EXPERIMENT)
