"""Views of one image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.data.augmentation import VIEWS, strong, weak

IMAGE = np.random.RandomState(0).uniform(-1, 1, (16, 8, 3)).astype(np.float32)


@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize('shape', [(16, 8, 3), (5, 5, 1), (7,)])
@pytest.mark.parametrize('view', VIEWS)
def test_shape_and_type_stay(view: str, shape: tuple[int, ...], dtype: jnp.dtype) -> None:
  seen = VIEWS[view](jax.random.key(0), jnp.ones(shape, dtype))
  assert (seen.shape, seen.dtype) == (shape, dtype)


@pytest.mark.parametrize('view', VIEWS)
def test_the_key_alone_decides(view: str) -> None:
  first, again, *others = (VIEWS[view](jax.random.key(seed), IMAGE) for seed in (1, 1, 2, 3, 4))
  np.testing.assert_array_equal(first, again)
  assert not all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize('view', VIEWS)
def test_one_image_in_a_batch_is_seen_as_alone(view: str) -> None:
  keys = jax.random.split(jax.random.key(3), 4)
  images = jnp.stack([IMAGE, IMAGE[::-1], 2 * IMAGE, -IMAGE])
  batch = jax.vmap(VIEWS[view])(keys, images)
  np.testing.assert_allclose(batch[2], VIEWS[view](keys[2], images[2]), rtol=1e-6, atol=1e-6)


def test_weak_is_a_shift_with_repeated_border() -> None:
  # An eighth of 16 rows is 2, of 8 columns 1: 5 x 3 shifts, each of which is drawn sooner or later.
  shifts = {}
  for down in range(-2, 3):
    for right in range(-1, 2):
      rows, columns = np.clip(np.arange(16) + down, 0, 15), np.clip(np.arange(8) + right, 0, 7)
      shifts[IMAGE[rows][:, columns].tobytes()] = (down, right)
  keys = jax.random.split(jax.random.key(0), 300)
  views = np.asarray(jax.vmap(lambda key: weak(key, IMAGE))(keys))
  assert {shifts[view.tobytes()] for view in views} == set(shifts.values())


def test_strong_cuts_a_hole_of_at_most_a_quarter_and_changes_contrast() -> None:
  keys = jax.random.split(jax.random.key(0), 200)
  views = np.asarray(jax.vmap(lambda key: strong(key, jnp.full((16, 16, 1), 4.0)))(keys))
  for view in views:
    hole = view == 0
    assert hole.any()
    assert hole.sum() <= 8 * 8
    # 4 times 0.5 to 1.5, and at most 0.25 more or less: one value everywhere else.
    rest = np.unique(view[~hole])
    assert len(rest) == 1
    assert 1.75 <= rest[0] <= 6.25
  assert np.ptp(views.max(axis=(1, 2, 3))) > 2


def test_vectors_are_left_alone_or_lose_entries() -> None:
  vector = jnp.arange(1.0, 1001.0)
  np.testing.assert_array_equal(weak(jax.random.key(0), vector), vector)
  seen = np.asarray(strong(jax.random.key(0), vector))
  kept = seen != 0
  np.testing.assert_array_equal(seen[kept], np.asarray(vector)[kept])
  assert abs(kept.sum() - 500) < 80  # Five standard deviations of 1000 fair coins.
