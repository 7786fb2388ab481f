"""Domain generalisation: PACS, one domain left out, on the features of a pretrained network.

  python scripts/reproduce.py generalization
  python -m experiments.generalization --method=vrex --target=npz:runs/features/pacs_sketch.npz

Li, Yang, Song, Hospedales: *Deeper, Broader and Artier Domain Generalization* (ICCV 2017): art
paintings, cartoons, photographs and sketches of seven classes. Three domains are learned from, in
batches of their own, and the fourth is only measured; of each, one image in five of a class is held
out, and the sources' held-out images choose the step (training-domain validation).
EfficientNet-Lite0 (ImageNet weights, 96 pixels) looks at each image once; methods learn a
bottleneck of 256 and a head on its 1,280 features, so that a run takes seconds.

The table is to be measured: scripts/reproduce.py generalization makes it.
"""

from experiments.common import Experiment, main

DOMAINS = ('art_painting', 'cartoon', 'photo', 'sketch')
METHODS = (
  'source_only', 'coral_across', 'mmd_across', 'vrex', 'irm', 'group_dro', 'mixup_across',
)  # fmt: skip
PROTOCOL = 'pacs/dg, lite0-96'


def _features(domain: str) -> str:
  return f'runs/features/pacs_{domain}.npz'


def _others(target: str) -> str:
  return ','.join(f'npz:{_features(domain)}' for domain in DOMAINS if domain != target)


EXPERIMENT = Experiment(
  name='generalization',
  doc=__doc__,
  defaults={
    'method': 'source_only',
    'source': _others('sketch'),
    'target': f'npz:{_features("sketch")}',
    'backbone': 'identity',
    'steps': 500,
    'batch_size': 32,
    'learning_rate': 0.01,
    'eval_every': 50,
    'checkpoint_every': 250,
  },
  protocols={(_others(target), f'npz:{_features(target)}'): PROTOCOL for target in DOMAINS},
)

# What makes the features that the rows read.
PREPARE = tuple(
  f'--domain=pacs/{domain} --image_size=96 --out={_features(domain)}' for domain in DOMAINS
)
SELECTIONS = ('source_accuracy', 'last', 'oracle')
TABLE = tuple(
  f'--method={method} --source={_others(target)} --target=npz:{_features(target)} --seeds=3'
  for method in METHODS
  for target in DOMAINS
)

if __name__ == '__main__':
  main(EXPERIMENT)
