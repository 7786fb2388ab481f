"""The names of domains."""

import functools
from collections.abc import Callable

from tlda.data import (
  adda,
  amazon,
  amazon_text,
  arrays,
  corruptions,
  domainnet,
  embedded,
  folder,
  mnist,
  mnist_m,
  moons,
  office31,
  office_caltech,
  office_home,
  pacs,
  prepared,
  rotated_mnist,
  svhn,
  traffic_signs,
  unsplit,
  usps,
  visda2017,
)
from tlda.data.domains import Domain
from tlda.data.files import DataDir
from tlda.errors import UserError, nearest

_LOADERS: dict[str, Callable[[DataDir, int | None], Domain]] = {
  **{name: functools.partial(adda.load, name) for name in adda.NAMES},
  **{name: functools.partial(amazon.load, name) for name in amazon.NAMES},
  **{name: functools.partial(amazon_text.load, name) for name in amazon_text.NAMES},
  **{name: functools.partial(domainnet.load, name) for name in domainnet.NAMES},
  'gtsrb': traffic_signs.gtsrb,
  'mnist': mnist.load,
  'mnist_m': mnist_m.load,
  'mnist_mini': embedded.mnist_mini,
  'mnist_photo': embedded.mnist_photo,
  **{name: functools.partial(moons.load, name) for name in moons.NAMES},
  **{name: functools.partial(office31.load, name) for name in office31.NAMES},
  **{name: functools.partial(office_caltech.images, name) for name in office_caltech.IMAGES},
  **{name: functools.partial(office_caltech.surf, name) for name in office_caltech.SURF},
  **{name: functools.partial(office_caltech.googlenet, name) for name in office_caltech.GOOGLENET},
  **{name: functools.partial(office_home.load, name) for name in office_home.NAMES},
  **{name: functools.partial(pacs.load, name) for name in pacs.NAMES},
  **{name: functools.partial(rotated_mnist.load, name) for name in rotated_mnist.NAMES},
  'sklearn_digits': embedded.sklearn_digits,
  'svhn': svhn.load,
  **{name: functools.partial(traffic_signs.syn_signs, name) for name in traffic_signs.SYN_SIGNS},
  'usps': usps.load,
  **{name: functools.partial(visda2017.load, name) for name in visda2017.NAMES},
}
# Domains named by where they lie: KIND:PLACE.
_KINDS: dict[str, Callable[[str, DataDir, int | None], Domain]] = {
  'corrupted': lambda place, data_dir, size: _corrupted(place, data_dir, size),
  'folder': lambda place, data_dir, size: folder.load(place, size),
  'npz': lambda place, data_dir, size: arrays.load(place, size),
  'tfds': prepared.load,
}


def names() -> list[str]:
  """Lists the domains that have a name of their own; `tfds:`, `folder:` and `npz:` add others.

  So does `corrupted:DOMAIN/KIND-STRENGTH`: see `tlda.data.corruptions`.

  Domains that were published without a test set (`office31/...`, `pacs/...`, `amazon_text/...`)
  can also be asked for with `/all` at the end: see `tlda.data.unsplit`.
  """
  return sorted(name for name in _LOADERS if not name.endswith(unsplit.ALL))


def load(name: str, data_dir: DataDir = None, image_size: int | None = None) -> Domain:
  """Loads a domain.

  Args:
    name: One of `names()`, some of them with `/all`, or `tfds:NAME`, `folder:PATH`, `npz:PATH`,
      `corrupted:DOMAIN/KIND-STRENGTH`.
    data_dir: The folder with raw and prepared data; None: the environment's TLDA_DATA_DIR.
    image_size: Height and width to resize images to; None: as they are.

  Returns:
    The domain.

  Raises:
    UserError: If the name is unknown, or the data are missing or broken.
  """
  if image_size is not None and image_size < 1:
    raise UserError(f'the image size must be at least 1, not {image_size}')
  kind, colon, place = name.partition(':')
  if colon and kind in _KINDS:
    if not place:
      raise UserError(f'{name!r} says no place after the colon')
    return _KINDS[kind](place, data_dir, image_size)
  if name not in _LOADERS:
    raise UserError(nearest('domain', name, [*_LOADERS, *(f'{kind}:...' for kind in _KINDS)]))
  return _LOADERS[name](data_dir, image_size)


def _corrupted(place: str, data_dir: DataDir, image_size: int | None) -> Domain:
  """Loads `DOMAIN/KIND-STRENGTH`."""
  name, _, corruption = place.rpartition('/')
  how = corruptions.parse(corruption)  # First: to load takes time.
  return corruptions.corrupted(load(name, data_dir, image_size), *how)
