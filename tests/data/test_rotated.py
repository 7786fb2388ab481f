"""Domains that are turned: MNIST by six angles, and two moons."""

from pathlib import Path

import numpy as np

from tlda import data
from tlda.data import mnist, moons, rotated_mnist


def test_a_quarter_turn_is_counter_clockwise() -> None:
  image = np.zeros((5, 5), np.uint8)
  image[0, 4] = 200  # At the upper right; after a quarter turn at the upper left.
  turned = rotated_mnist.rotate(image, 90)
  assert turned[0, 0] == 200
  assert turned.sum() == 200


def test_no_image_is_in_two_domains(data_dir: Path) -> None:
  plain, turned = (data.load(f'rotated_mnist/{angle}', data_dir) for angle in (0, 30))
  # 70,000 images are six times 11,666, and four are left over.
  assert [len(each.train) + len(each.test) for each in (plain, turned)] == [11_667] * 2
  assert len(plain.test) == 11_667 // 5
  known = {image.tobytes() for image in mnist.images('test', data_dir)}
  own = {image.tobytes() for image in plain.train.inputs}
  assert known & own, 'unturned images are those of MNIST'
  order = np.random.Generator(np.random.Philox(0)).permutation(70_000)
  number = order[2::6][2333]  # The first training image of the third domain.
  images = np.concatenate([mnist.images(split, data_dir) for split in ('train', 'test')])
  expected = rotated_mnist.rotate(images[number], 30)
  np.testing.assert_array_equal(turned.train.inputs[0, ..., 0], expected)


def test_moons_are_turned_about_their_middle() -> None:
  flat, turned = data.load('moons/0'), data.load('moons/90')
  assert flat.train.inputs.shape == (1000, 2)
  for domain in (flat, turned):
    np.testing.assert_allclose(domain.train.inputs.mean(axis=0), 0, atol=0.02)
  # The upper moon lies above (y > 0); a quarter turn takes above to the left (x < 0).
  upper = lambda domain: domain.train.inputs[domain.train.labels == 0].mean(axis=0)
  assert upper(flat)[1] > 0.2
  np.testing.assert_allclose(upper(turned), [-upper(flat)[1], upper(flat)[0]], atol=0.05)
  assert not np.array_equal(flat.train.inputs, flat.test.inputs)
  assert moons.NAMES[0] == 'moons/0'
