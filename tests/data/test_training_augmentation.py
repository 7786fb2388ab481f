"""What training images go through: where a crop lies, what it shows, and who sees it."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.contracts.test_methods import assert_alike, assert_same_logs, small_run, train
from tests.methods.probe import probe
from tests.problem import make_run
from tlda import methods
from tlda.data import training_augmentation
from tlda.data.augmentation import warped
from tlda.data.training_augmentation import AUGMENTATIONS, crop_flip, randaugment
from tlda.errors import UserError
from tlda.training import checkpoint
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.result import measure

IMAGE = np.random.RandomState(0).uniform(0, 1, (16, 8, 3)).astype(np.float32)


def boxes(height: int, width: int, keys: int) -> np.ndarray:
  """Returns what crops show, `[keys, 5]`: top, left, height, width in pixels, mirrored or not.

  An image whose colours say where a pixel is tells it; what is beside its border is left out.
  """
  rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing='ij')
  image = jnp.asarray(np.stack([rows, columns], axis=-1), jnp.float32)
  seen = jax.jit(jax.vmap(crop_flip, (0, None)))(jax.random.split(jax.random.key(0), keys), image)
  found = []
  for view in np.asarray(seen, np.float64):
    down, along = view[:, 0, 0], view[0, :, 1]
    # In the middle of a side nothing is clamped, whatever part of it is shown.
    steps = [np.diff(side)[len(side) // 2] for side in (down, along)]
    sizes = [abs(step) * len(side) for step, side in zip(steps, (down, along), strict=True)]
    middles = [np.median(side) + 0.5 for side in (down, along)]
    corners = [middle - size / 2 for middle, size in zip(middles, sizes, strict=True)]
    found.append([*corners, *sizes, steps[1] < 0])
  return np.array(found)


@pytest.mark.parametrize(('height', 'width'), [(32, 32), (24, 32)])
def test_crops_are_those_of_the_paper(height: int, width: int) -> None:
  top, left, tall, wide, mirrored = boxes(height, width, 600).T
  area, slack = tall * wide / (height * width), 1e-3
  assert area.min() >= 0.35 - slack
  assert area.max() <= 1 + slack
  # Uniform: the mean of 600 is off by more than 5 deviations once in a million.
  assert abs(area.mean() - 0.675) < 5 * 0.65 / np.sqrt(12 * 600)
  assert area.min() < 0.36
  assert area.max() > 0.98
  aspect = wide / tall
  assert aspect.min() >= 3 / 4 - slack
  assert aspect.max() <= 4 / 3 + slack
  assert aspect.min() < 0.8
  assert aspect.max() > 1.25
  assert min(top.min(), left.min()) >= -slack * height
  assert (top + tall).max() <= height * (1 + slack)
  assert (left + wide).max() <= width * (1 + slack)
  assert abs(mirrored.mean() - 0.5) < 5 * 0.5 / np.sqrt(600)
  # Where there is room, crops lie anywhere: as often in the upper half as in the lower.
  room = height - tall > 0.1
  above = (top < (height - tall) / 2)[room].mean()
  assert abs(above - 0.5) < 5 * 0.5 / np.sqrt(room.sum())


def test_an_image_longer_than_any_crop_is_cut_along_it() -> None:
  """Of 8x64 pixels no rectangle of 3/4 to 4/3 has a third: the nearest has the whole height."""
  _, left, tall, wide, _ = boxes(8, 64, 100).T
  np.testing.assert_allclose(tall, 8, rtol=1e-3)
  assert wide.min() >= 0.35 * 64 - 0.1
  assert (left + wide).max() <= 64.1


def test_a_crop_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
  """Rows 4 to 12 of 16 and columns 1 to 7 of 8, mirrored, between pixel centres at halves."""
  # In half sides between outermost centres: 7.5 rows (middle 7.5), 3.5 columns (middle 3.5).
  warp = np.array([[8 / 16, 0, 0], [0, -6 / 8, 0], [0, 0, 1]])
  monkeypatch.setattr(training_augmentation, '_crop', lambda *_: jnp.asarray(warp, jnp.float32))
  rows, columns = 4 + (np.arange(16) + 0.5) / 2 - 0.5, 1 + (np.arange(8) + 0.5) * 6 / 8 - 0.5
  expected = np.empty((16, 8, 3))
  for i, y in enumerate(rows):
    for j, x in enumerate(columns[::-1]):
      (low_y, part_y), (low_x, part_x) = ((int(v), v - int(v)) for v in (y, x))
      over, under = (
        IMAGE[line, low_x] * (1 - part_x) + IMAGE[line, low_x + 1] * part_x
        for line in (low_y, low_y + 1)
      )
      expected[i, j] = over * (1 - part_y) + under * part_y
  np.testing.assert_allclose(crop_flip(jax.random.key(0), IMAGE), expected, rtol=1e-5, atol=1e-6)


def test_a_crop_is_what_looking_pixels_up_finds() -> None:
  for seed in range(5):
    key = jax.random.key(seed)
    looked_up = warped(jnp.asarray(IMAGE), training_augmentation._crop(key, IMAGE.shape))
    np.testing.assert_allclose(crop_flip(key, IMAGE), looked_up, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name', AUGMENTATIONS)
def test_the_key_alone_decides(name: str) -> None:
  make, keys = AUGMENTATIONS[name], jax.random.split(jax.random.key(3), 40)
  views = np.asarray(jax.vmap(make, (0, None))(keys, IMAGE))
  assert len({view.tobytes() for view in views}) == 40
  assert views.min() >= -1e-6
  assert views.max() <= 1 + 1e-6
  np.testing.assert_allclose(make(keys[7], IMAGE), views[7], rtol=1e-4, atol=1e-5)
  for shape, dtype in (((5, 5, 1), jnp.bfloat16), ((1, 1, 3), jnp.float32)):
    seen = jax.eval_shape(make, keys[0], jnp.ones(shape, dtype))
    assert (seen.shape, seen.dtype) == (shape, dtype)
  assert np.isfinite(make(keys[0], jnp.ones((1, 1, 3)))).all()


def test_randaugment_changes_colours_too() -> None:
  keys = jax.random.split(jax.random.key(0), 60)
  flat = np.asarray(jax.vmap(randaugment, (0, None))(keys, np.full((6, 6, 3), 0.25, np.float32)))
  np.testing.assert_allclose(flat, np.broadcast_to(flat[:, :1, :1], flat.shape), atol=1e-5)
  kept = np.isclose(flat[:, 0, 0, 0], 0.25, atol=1e-5).mean()
  # Of 13 operations only darkening and solarising change a flat grey, the latter half of the time.
  assert 0.6 < kept < 0.95


def test_training_sees_it_in_all_domains_and_evaluation_does_not(tmp_path: Path) -> None:
  plain = probe(methods.DANN, tmp_path / 'plain')
  here = probe(methods.DANN, tmp_path / 'crop', augment='crop_flip')
  for name in ('source', 'target'):
    before, after = (getattr(each.batch, name) for each in (plain, here))
    np.testing.assert_array_equal(before.index, after.index)
    keys = here.context.keys('augment', after)
    expected = jax.vmap(crop_flip)(keys, before.inputs + 0.4) - 0.4  # The problem's mean.
    np.testing.assert_allclose(after.inputs, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(after.inputs - before.inputs).max() > 0.1
  measured = [
    measure(each.trainer._run, each.trainer._evaluator, [each.state]) for each in (plain, here)
  ]
  np.testing.assert_array_equal(*(each['confusion_matrix/target_test'] for each in measured))


def test_views_are_of_the_image_as_it_was(tmp_path: Path) -> None:
  plain, here = (
    probe(methods.FixMatch, tmp_path / name, augment=augment)
    for name, augment in (('plain', None), ('crop', 'crop_flip'))
  )
  for name in ('weak', 'strong'):
    np.testing.assert_array_equal(here.batch.target.views[name], plain.batch.target.views[name])


def test_eight_devices_see_what_one_does(tmp_path: Path) -> None:
  case = (methods.SourceOnly, {})
  make = lambda name, devices: Trainer(
    small_run(case, tmp_path / name, seeds=(0,), augment='crop_flip'), devices
  )
  _, alone, logs = train(make('one', Parallel('pmap', 16, jax.devices()[:1])))
  _, spread, own = train(make('all', Parallel('pmap', 16)))
  assert_alike(spread, checkpoint.flatten(alone))
  assert_same_logs(own, logs)


def test_vectors_are_refused(tmp_path: Path) -> None:
  run = make_run(methods.SourceOnly, tmp_path, images=False, augment='randaugment')
  with pytest.raises(UserError, match='--augment=randaugment is for images'):
    Trainer(run)
