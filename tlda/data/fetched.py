"""Protocols of data that a user fetches. Their hashes are known where someone has had the data.

`scripts/hash_protocols.py` fills those in whose data are there.
"""

from typing import Any

from tlda.data import domainnet, office31, office_home
from tlda.data.protocol import Protocol, fixed, left_out, pairs
from tlda.data.unsplit import ALL

_WEIGHTS = {
  'resnet50': 'https://download.pytorch.org/models/resnet50-0676ba61.pth',
  'resnet101': 'https://download.pytorch.org/models/resnet101-63fe2227.pth',
}
_UNSPLIT = 'all target images train without labels, and test'


def _objects(backbone: str, augment: str = 'crop_flip') -> dict[str, Any]:
  """Returns what TLLib fixes on all sets of objects: 20 epochs of 1,000 steps at 224 pixels."""
  return fixed(
    backbone=backbone,
    weights=_WEIGHTS[backbone],
    image_size=224,
    batch_size=32,
    steps=20_000,
    augment=augment,
  )


PROTOCOLS: dict[str, Protocol] = {
  'digits/svhn': Protocol(
    'Ganin et al. 2016, section 5.2, in their network for SVHN; how long they train is not said.',
    (('svhn', 'mnist'),),
    fixed(backbone='svhn_net', image_size=32, steps=20_000),
  ),
  'signs/dann2016': Protocol(
    'Ganin et al. 2016, section 5.2, who draw 31,367 training images of the target: here it has '
    'its official split; the images have 40 pixels.',
    ((f'syn_signs{ALL}', 'gtsrb'),),
    fixed(backbone='signs_net', image_size=40, steps=20_000),
  ),
  'office31': Protocol(
    f'ResNet-50 from ImageNet as in TLLib, but images are made square; {_UNSPLIT}.',
    pairs([f'office31/{domain}{ALL}' for domain in office31.DOMAINS]),
    _objects('resnet50'),
  ),
  'office_home': Protocol(
    f'ResNet-50 from ImageNet as in TLLib, but images are made square; {_UNSPLIT}.',
    pairs([f'office_home/{style}{ALL}' for style in office_home.FOLDERS]),
    _objects('resnet50'),
  ),
  'visda2017': Protocol(
    'Renderings to photographs, those of the validation set; ResNet-101 from ImageNet as in TLLib, '
    f'but images are made square and not cut; {_UNSPLIT}.',
    ((f'visda2017/train{ALL}', f'visda2017/validation{ALL}'),),
    _objects('resnet101', augment='none'),
  ),
  'domainnet': Protocol(
    'The split of the authors; ResNet-101 from ImageNet as in TLLib, but images are made square.',
    pairs(domainnet.NAMES),
    _objects('resnet101'),
  ),
  'domainnet, five sources': Protocol(
    'The same, from all others to each.', left_out(domainnet.NAMES), _objects('resnet101')
  ),
}
