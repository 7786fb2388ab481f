"""Twins of data sets that users fetch: tiny images in the layout of the publishers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from tlda.data import domainnet, office31, office_home, traffic_signs, visda2017


def image(path: Path, value: int, size: tuple[int, int] = (4, 3)) -> None:
  """Writes an image of one colour, `(value, 7, 250)`."""
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.new('RGB', size, (value, 7, 250)).save(path)


def class_folders(root: Path, classes: Sequence[str], each: int) -> None:
  """Writes `each` images a class, red the number of the class times two, plus 0, 1, ..."""
  for label, name in enumerate(classes):
    for number in range(each):
      # Sizes differ, as they do in the originals.
      image(root / name / f'frame_{number:04}.png', 2 * label + number, (4, 3 + number))


def svhn(root: Path) -> None:
  """Five digits to train and two to test: digits 1, 2, 0, 9, 5 and 0, 7; pixels count up."""
  for split, labels in (('train', [1, 2, 10, 9, 5]), ('test', [10, 7])):
    pixels = np.arange(len(labels), dtype=np.uint8) * np.ones((32, 32, 3, 1), np.uint8)
    pixels[3, 5, 2] = 200 + np.arange(len(labels))
    (root / 'svhn').mkdir(exist_ok=True)
    digits = np.array(labels, np.uint8)[:, None]
    scipy.io.savemat(root / 'svhn' / f'{split}_32x32.mat', {'X': pixels, 'y': digits})


def office_31(root: Path, each: int = 5) -> None:
  for domain in office31.DOMAINS:
    class_folders(root / 'office31' / domain / 'images', office31.CLASSES, each)


def office_home_styles(root: Path, folders: Sequence[str]) -> None:
  for folder in folders:
    class_folders(root / 'office_home' / folder, office_home.CLASSES, 1)


def visda(root: Path) -> None:
  """Twelve classes of two images, which the lists name from the last to the first."""
  for domain, suffix in (('train', 'png'), ('validation', 'jpg')):
    lines = []
    for label, name in reversed([*enumerate(visda2017.CLASSES)]):
      for number in range(2):
        file = f'{name}/{number}_{label}.{suffix}'
        image(root / 'visda2017' / domain / file, 10 * label + number)
        lines.append(f'{file} {label}')
    (root / 'visda2017' / domain / 'image_list.txt').write_text('\n'.join(lines) + '\n')


def domain_net(root: Path, domain: str) -> None:
  """Five training images of classes 0 to 4, two of 344 and 327 to test."""
  for split, labels in (('train', range(5)), ('test', (344, 327))):
    files = [f'{domain}/{domainnet.CLASSES[n]}/{domain}_{n + 1:03}_000001.jpg {n}' for n in labels]
    for line in files:
      image(root / 'domainnet' / line.split()[0], 3 * len(line) % 256)
    (root / 'domainnet' / f'{domain}_{split}.txt').write_text('\n'.join(files) + '\n')


def syn_signs(root: Path) -> None:
  """A sign of each class, the last class first, with the third column of the original."""
  folder = root / 'syn_signs' / 'synthetic_data'
  lines = [f'train/{number}.png {42 - number} 0' for number in range(43)]
  for number, line in enumerate(lines):
    image(folder / line.split()[0], number, (4, 4))
  (folder / 'train_labelling.txt').write_text('\n'.join(lines) + '\n')


def gtsrb(root: Path) -> None:
  """Two signs of each class to train, one to test, the tables in the columns of the original."""
  head = 'Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId'
  train, test = (root / 'gtsrb' / 'GTSRB' / f'Final_{x}' / 'Images' for x in ('Training', 'Test'))
  row = '{file};4;3;0;0;3;2;{label}'.format
  for label, word in enumerate(traffic_signs.CLASSES):
    files = [f'0000{track}_00000.ppm' for track in range(2)]
    for track, file in enumerate(files):
      image(train / word / file, 2 * label + track)
    lines = [head, *(row(file=file, label=label) for file in files)]
    (train / word / f'GT-{word}.csv').write_text('\n'.join(lines) + '\n')
    image(test / f'{label:05}.ppm', 100 + label)
  lines = [head, *(row(file=f'{n:05}.ppm', label=n) for n in range(43))]
  (root / 'gtsrb' / 'GT-final_test.csv').write_text('\n'.join(lines) + '\n')
