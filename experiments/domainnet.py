"""DomainNet: 345 kinds of things, drawn, painted and photographed.

  python -m experiments.domainnet --method=mdd --target=domainnet/real

Peng, Bai, Xia, Huang, Saenko, Wang: *Moment Matching for Multi-Source Domain Adaptation* (ICCV
2019); where to get it is in the README. Protocol `domainnet`: the authors' split of each of six
domains, so that target images that train (without labels) do not test; ResNet-101 from ImageNet at
224 pixels, 32 images of each domain a step, 20,000 steps, random crops mirrored at random.
`--protocol='domainnet, five sources'` goes from all others to one.

Published target accuracy (TLLib, best epoch by target accuracy), mean of twelve pairs of clip art,
paintings, photographs and sketches:
  source only 43.3, DANN 47.2, MCD 47.5, DAN 48.4, MCC 48.9, CDAN 49.9, JAN 50.0, MDD 51.8

Not measured here: scripts/reproduce.py domainnet makes the table, where the data are. Every start
hashes all images, and so decodes them once.
"""

from experiments import objects, rows
from experiments.common import main
from tlda.data.protocol import pairs

# From each of the four, in this order, to the others in the same order.
PAIRS = pairs([f'domainnet/{domain}' for domain in ('clipart', 'painting', 'real', 'sketch')])
_PERCENT = {
  'source_only': (32.7, 50.6, 39.4, 41.1, 56.8, 35.0, 48.6, 48.8, 36.1, 49.0, 34.8, 46.1),
  'dann': (37.9, 54.3, 44.4, 41.7, 55.6, 36.8, 50.7, 50.8, 40.1, 55.0, 45.0, 54.5),
  'mcd': (37.5, 52.9, 44.0, 44.6, 54.5, 41.6, 52.0, 51.5, 39.7, 55.5, 44.6, 52.0),
  'dan': (38.8, 55.2, 43.9, 45.9, 59.0, 40.8, 50.8, 49.8, 38.9, 56.1, 45.9, 55.5),
  'mcc': (37.7, 55.7, 42.6, 45.4, 59.8, 39.9, 54.4, 53.1, 37.0, 58.1, 46.3, 56.2),
  'cdan': (40.4, 56.8, 46.1, 45.1, 58.4, 40.5, 55.6, 53.6, 43.0, 57.2, 46.4, 55.7),
  'jan': (40.5, 56.7, 45.1, 47.2, 59.9, 43.0, 54.2, 52.6, 41.9, 56.6, 46.2, 55.5),
  'mdd': (42.9, 59.5, 47.5, 48.6, 59.4, 42.6, 58.3, 53.7, 46.2, 58.7, 46.5, 57.7),
}

EXPERIMENT = objects.experiment(
  'domainnet', __doc__, PAIRS, _PERCENT, eval_every=5_000, checkpoint_every=5_000
)
SELECTIONS = objects.SELECTIONS
TABLE = rows.every([*_PERCENT], PAIRS)

if __name__ == '__main__':
  main(EXPERIMENT)
