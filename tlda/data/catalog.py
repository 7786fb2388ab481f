"""The names of domains."""

from collections.abc import Callable

from tlda.data import embedded, mnist, mnist_m, usps
from tlda.data.domains import Domain
from tlda.data.files import DataDir
from tlda.errors import UserError, nearest

_LOADERS: dict[str, Callable[[DataDir, int | None], Domain]] = {
  'mnist': mnist.load,
  'mnist_m': mnist_m.load,
  'mnist_mini': embedded.mnist_mini,
  'mnist_photo': embedded.mnist_photo,
  'sklearn_digits': embedded.sklearn_digits,
  'usps': usps.load,
}


def names() -> list[str]:
  """Lists the domains that have a name of their own; `tfds:`, `folder:` and `npz:` add others."""
  return sorted(_LOADERS)


def load(name: str, data_dir: DataDir = None, image_size: int | None = None) -> Domain:
  """Loads a domain.

  Args:
    name: One of `names()`.
    data_dir: The folder with raw and prepared data; None: the environment's TLDA_DATA_DIR.
    image_size: Height and width to resize images to; None: as they are.

  Returns:
    The domain.

  Raises:
    UserError: If the name is unknown, or the data are missing or broken.
  """
  if image_size is not None and image_size < 1:
    raise UserError(f'the image size must be at least 1, not {image_size}')
  if name not in _LOADERS:
    raise UserError(nearest('domain', name, names()))
  return _LOADERS[name](data_dir, image_size)
