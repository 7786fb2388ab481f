"""Published weights are listed and converted to ours, which are read again."""

from pathlib import Path

import jax
import numpy as np
import pytest

from scripts import convert_weights
from tests.models.test_pretrained import torchvision_resnet18
from tlda.models import backbones, pretrained
from tlda.models.weights import safetensors


@pytest.fixture(scope='module')
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """What torchvision would publish for ResNet-18, of random numbers."""
  rng = np.random.default_rng(0)
  layout = torchvision_resnet18().items()
  path = tmp_path_factory.mktemp('weights') / 'resnet18.safetensors'
  safetensors.write(path, {name: rng.standard_normal(shape, np.float32) for name, shape in layout})
  return path


def test_listing(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
  assert convert_weights.main([str(published)]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert 'conv1.weight  [64, 3, 7, 7]  float32' in lines
  # Without the statistics, 11,689,512 parameters: what torchvision says of its ResNet-18.
  assert lines[-1] == f'122 tensors, {11_689_512 + 2 * 4800 + 20:,} numbers'


@pytest.mark.parametrize('suffix', ['npz', 'safetensors'])
def test_what_is_converted_loads_the_same(
  suffix: str, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  output = tmp_path / f'out.{suffix}'
  assert convert_weights.main([str(published), str(output), '--backbone=resnet18']) == 0
  assert capsys.readouterr().out == f'{output}: 100 arrays of resnet18\n'
  assert list(tmp_path.iterdir()) == [output]
  backbone = backbones.network('resnet18', classes=5, bottleneck=0).extractor
  shapes = convert_weights.shapes(backbone, 'resnet18')
  converted = pretrained.read(str(output))
  assert converted['layer1_0/conv1/kernel'].shape == (3, 3, 64, 64)
  wanted = pretrained.load(backbone, shapes, pretrained.read(str(published)))
  found = pretrained.load(backbone, shapes, converted)
  jax.tree.map(np.testing.assert_array_equal, found, wanted)


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
  there = tmp_path / 'there.npz'
  there.write_bytes(b'mine')
  assert convert_weights.main(['nowhere.pth', str(there), '--backbone=resnet18']) == 2
  assert f'{there} is there already' in capsys.readouterr().err
  assert there.read_bytes() == b'mine'


@pytest.mark.parametrize(
  ('arguments', 'sentence'),
  [
    (['nowhere.pth'], 'nowhere.pth is no file or folder'),
    (['FILE', 'out.npz'], 'converting needs both OUT and --backbone'),
    (['FILE', '--backbone=resnet18'], 'converting needs both OUT and --backbone'),
    (['FILE', 'out.pth', '--backbone=resnet18'], 'out.pth should end with .npz or .safetensors'),
    (['FILE', 'out.npz', '--backbone=resnet19'], "unknown backbone 'resnet19': did you mean"),
    (['FILE', 'out.npz', '--backbone=lenet'], "backbone 'lenet' has no public weights"),
    (['FILE', 'out.npz', '--backbone=resnet34'], 'the weights do not fit ResNet: 80 missing'),
    (['FILE', 'no/folder/out.npz', '--backbone=resnet18'], 'cannot be written'),
    (['nowhere.pth', '/dev/null/out.npz', '--backbone=resnet18'], '/dev/null/out.npz cannot be'),
  ],
)
def test_a_mistake_is_one_sentence(
  arguments: list[str],
  sentence: str,
  published: Path,
  tmp_path: Path,
  monkeypatch: pytest.MonkeyPatch,
  capsys: pytest.CaptureFixture[str],
) -> None:
  monkeypatch.chdir(tmp_path)
  given = [str(published) if argument == 'FILE' else argument for argument in arguments]
  assert convert_weights.main(given) == 2
  assert f'error: {sentence}' in capsys.readouterr().err or sentence == 'cannot be written'
  assert not list(tmp_path.iterdir())
