"""Named protocols: what two numbers must have in common before they are compared.

Each is a name for pairs of domains, with their splits, and for what papers fix beside them.
"""

from collections.abc import Mapping
from typing import Any

from tlda.data import (
  adda,
  amazon,
  corruptions,
  fetched,
  moons,
  office_caltech,
  pacs,
  rotated_mnist,
)
from tlda.data.protocol import Protocol, fixed, left_out, pairs
from tlda.errors import UserError, nearest

# Names that begin so are labels of a user's own, and promise nothing.
CUSTOM = 'custom/'


def place(domain: str) -> str:
  """Returns the file that the features of a domain are extracted to."""
  return f'runs/features/{domain}.npz'


def features(domain: str) -> str:
  """Returns the name of the domain of these features."""
  return f'npz:{place(domain)}'


_PARTS, _STYLES = office_caltech.DOMAINS, pacs.DOMAINS
_LITE0 = 'the last features of EfficientNet-Lite0 with ImageNet weights'
_UNSPLIT = 'all target examples train without labels, and test'
_FEATURES = fixed(backbone='identity', batch_size=32, steps=500)
_IMAGES = fixed(
  backbone='efficientnet_lite0', weights='efficientnet_lite0', bottleneck=0, batch_size=32
)
_PAIRS_OF_FEATURES = tuple(
  (features(source), features(target))
  for source, target in (
    ('amazon', 'webcam'), ('amazon', 'caltech10'), ('caltech10', 'amazon'), ('webcam', 'amazon'),
  )
)  # fmt: skip
_LABEL_SETS = {
  'partial': ('', '0-4'),
  'open': ('0-4', ''),
  'universal': ('0-5', '0-3,6-9'),
}

PROTOCOLS: dict[str, Protocol] = {
  'demo/handwriting': Protocol(
    'A few digits of MNIST, and those that scikit-learn ships.',
    (('mnist_mini', 'sklearn_digits'),),
    fixed(backbone='mnist_net', image_size=16, steps=1_000),
  ),
  'digits/dann2016': Protocol(
    'Ganin et al. 2016, section 5.2; they do not say how long they train.',
    (('mnist', 'mnist_m'),),
    fixed(backbone='mnist_net', image_size=28, steps=20_000),
  ),
  'digits/full': Protocol(
    'All training digits of both: 60,000 and 7,291.',
    pairs(('mnist', 'usps')),
    fixed(backbone='mnist_net', image_size=28, steps=2_000),
  ),
  'digits/adda': Protocol(
    'Tzeng et al. 2017: 2,000 digits of MNIST, 1,800 of USPS, in five draws of our own.',
    tuple(pair for draw in adda.DRAWS for pair in pairs(draw)),
    fixed(backbone='lenet', steps=1_000),
  ),
  'digits/adda-bn': Protocol(
    'The same with batch normalisation behind the features, for what needs it; the first draw.',
    pairs(('adda/mnist', 'adda/usps')),
    fixed(backbone='lenet_bn', steps=1_000),
  ),
  'digits/shot2020': Protocol(
    'Liang et al. 2020: 30 epochs of what a stage reads; USPS here is the whole of it.',
    pairs(('mnist', 'usps')),
    fixed(backbone='lenet_bn', image_size=28),
  ),
  'amazon/dann2016': Protocol(
    "Ganin et al. 2016, section 5.1: the authors' 2,000 labelled and 2,000 unlabelled reviews.",
    pairs(amazon.NAMES),
    fixed(backbone='mlp', steps=250),
  ),
  'office_caltech/surf': Protocol(
    f'Gong et al. 2012: 800 SURF words, standardised; {_UNSPLIT}.',
    pairs([f'office_caltech/surf/{part}/all' for part in _PARTS]),
    _FEATURES,
  ),
  'office_caltech/googlenet': Protocol(
    f'1,024 features of GoogLeNet; no features of Caltech are known; {_UNSPLIT}.',
    pairs([f'office_caltech/googlenet/{part}/all' for part in _PARTS if part != 'caltech10']),
    _FEATURES,
  ),
  'office_caltech/images': Protocol(
    f'EfficientNet-Lite0 from ImageNet, fine-tuned at 96 pixels; {_UNSPLIT}.',
    pairs([f'office_caltech/{part}/all' for part in _PARTS]),
    {**_IMAGES, 'image_size': 96, 'batch_size': 16, 'steps': 100},
  ),
  'office_caltech/lite0-128': Protocol(
    f'On {_LITE0}, at 128 pixels; {_UNSPLIT}.', pairs([*map(features, _PARTS)]), _FEATURES
  ),
  'office_caltech/lite0-128, three sources': Protocol(
    f'On {_LITE0}, at 128 pixels; {_UNSPLIT}.', left_out([*map(features, _PARTS)]), _FEATURES
  ),
  **{
    f'office_caltech/{name}': Protocol(
      f'Unequal label sets on {_LITE0}, at 128 pixels; {_UNSPLIT}.',
      _PAIRS_OF_FEATURES,
      {**_FEATURES, 'source_classes': own, 'target_classes': other},
    )
    for name, (own, other) in _LABEL_SETS.items()
  },
  'pacs/uda': Protocol(
    f'Each style to each other; EfficientNet-Lite0 from ImageNet at 96 pixels; {_UNSPLIT}.',
    pairs([f'pacs/{style}/all' for style in _STYLES]),
    {**_IMAGES, 'steps': 1_000},
  ),
  'pacs/dg': Protocol(
    'Gulrajani and Lopez-Paz 2021: a style is left out, a fifth of each is held out; the images '
    'have 96 pixels and the network is EfficientNet-Lite0 from ImageNet.',
    left_out([f'pacs/{style}' for style in _STYLES]),
    {**_IMAGES, 'steps': 1_000},
  ),
  'pacs/dg, lite0-96': Protocol(
    f'The same on {_LITE0}, at 96 pixels.',
    left_out([features(f'pacs_{style}') for style in _STYLES]),
    _FEATURES,
  ),
  'moons': Protocol(
    'Two half circles, and the same turned by 5 to 90 degrees.',
    tuple((moons.NAMES[0], name) for name in moons.NAMES[1:]),
    fixed(backbone='mlp', steps=1_000),
  ),
  'rotated_mnist': Protocol(
    'Upright digits, and others turned by 15 to 75 degrees.',
    tuple((rotated_mnist.NAMES[0], name) for name in rotated_mnist.NAMES[1:]),
    fixed(backbone='lenet', steps=1_000),
  ),
  'rotated_mnist/dg': Protocol(
    'Gulrajani and Lopez-Paz 2021: an angle is left out, a fifth of each is held out.',
    left_out(rotated_mnist.NAMES),
    fixed(backbone='lenet', steps=1_000),
  ),
  **{
    f'office_caltech/amazon, {amount}': Protocol(
      'The target alone, with few labels of it; a fifth of the images is held out to test.',
      (('office_caltech/amazon', 'office_caltech/amazon'),),
      fixed(
        backbone='efficientnet_lite0',
        bottleneck=0,
        image_size=96,
        batch_size=16,
        steps=100,
        labels_per_class=labels,
        without=('weights',),
      ),
    )
    for labels, amount in {5: '5 labels a class', 20: '20 labels a class', 0: 'all labels'}.items()
  },
  'office_caltech/amazon, 48 pixels': Protocol(
    'The target alone, for networks of any size; a fifth of the images is held out to test.',
    (('office_caltech/amazon', 'office_caltech/amazon'),),
    fixed(image_size=48, without=('weights', 'bottleneck', 'batch_size')),
  ),
  'amazon_text/minilm-64': Protocol(
    'Reviews of books and of kitchenware, their first 64 tokens; MiniLM is fine-tuned.',
    pairs(('amazon_text/books', 'amazon_text/kitchen')),
    fixed(backbone='minilm', weights='minilm', tokens=64, batch_size=16, steps=60),
  ),
  'amazon_text/minilm-64, frozen': Protocol(
    'The same on the features of MiniLM as it is.',
    pairs([features('books'), features('kitchen')]),
    fixed(backbone='identity', steps=500),
  ),
  'mnist_corrupted': Protocol(
    'MNIST, and its test digits under each corruption at five strengths.',
    tuple(
      ('mnist', f'corrupted:mnist/{kind}-{strength}')
      for kind in corruptions.CORRUPTIONS
      for strength in range(1, corruptions.STRENGTHS + 1)
    ),
    fixed(backbone='lenet', steps=1_000),
  ),
  **fetched.PROTOCOLS,
}


def names() -> list[str]:
  """Lists the registered protocols."""
  return sorted(PROTOCOLS)


def get(name: str) -> Protocol:
  """Returns a protocol by its name.

  Raises:
    UserError: There is none of this name.
  """
  if name not in PROTOCOLS:
    own = f'; a name of your own begins with {CUSTOM}'
    raise UserError(nearest('protocol', name, names()) + own)
  return PROTOCOLS[name]


def find(settings: Mapping[str, Any]) -> str | None:
  """Returns the name of the first protocol that a run follows, or None.

  Args:
    settings: Of the run, by the names of flags, `source` and `target` among them.
  """
  return next((name for name in PROTOCOLS if not PROTOCOLS[name].departures(settings)), None)
