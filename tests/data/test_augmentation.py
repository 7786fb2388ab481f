"""Views of one image, and the operations that a strong one is made of."""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import probe
from tlda.data import augmentation
from tlda.data.augmentation import COLOURS, HOLE, VIEWS, WARPS, slight, strong, weak
from tlda.methods import Batch, Context, Method, Terms

IMAGE = np.random.RandomState(0).uniform(0, 1, (16, 8, 3)).astype(np.float32)
COLOUR = {function.__name__[1:]: function for function in COLOURS}


@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize('shape', [(16, 8, 3), (5, 5, 1), (7,)])
@pytest.mark.parametrize('view', VIEWS)
def test_shape_and_type_stay(view: str, shape: tuple[int, ...], dtype: jnp.dtype) -> None:
  seen = jax.eval_shape(VIEWS[view], jax.random.key(0), jnp.ones(shape, dtype))
  assert (seen.shape, seen.dtype) == (shape, dtype)


@pytest.mark.parametrize('view', VIEWS)
def test_the_key_alone_decides(view: str) -> None:
  make = jax.jit(VIEWS[view])
  first, again, *others = (make(jax.random.key(seed), IMAGE) for seed in (1, 1, 2, 3, 4))
  np.testing.assert_array_equal(first, again)
  assert not all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize('view', VIEWS)
def test_one_image_in_a_batch_is_seen_as_alone(view: str) -> None:
  keys = jax.random.split(jax.random.key(3), 4)
  images = jnp.stack([IMAGE, IMAGE[::-1], IMAGE / 2, 1 - IMAGE])
  batch = jax.vmap(VIEWS[view])(keys, images)
  np.testing.assert_allclose(batch[2], VIEWS[view](keys[2], images[2]), rtol=1e-5, atol=1e-5)


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


def test_slight_turns_scales_and_moves_a_little() -> None:
  places = np.stack(np.meshgrid(*[np.linspace(-1, 1, 33)] * 2, indexing='ij'), axis=-1)
  places = places.astype(np.float32)  # An image of where each pixel lies: rows and columns.
  keys = jax.random.split(jax.random.key(0), 300)
  middle = np.asarray(jax.vmap(lambda key: slight(key, places))(keys))[:, 12:21, 12:21]
  shift, down = middle[:, 4, 4], (middle[:, 8, 4] - middle[:, 0, 4]) * 2  # A quarter of a side.
  turn, size = np.rad2deg(np.arctan2(down[:, 1], down[:, 0])), np.linalg.norm(down, axis=-1)
  for found, most in ((shift[:, 0], 1 / 8), (shift[:, 1], 1 / 8), (turn, 15), (size - 1, 0.1)):
    assert 0.9 * most < np.abs(found).max() < 1.001 * most
    assert found.min() < -0.8 * most


def test_strong_cuts_a_grey_square_of_half_a_side_and_stays_in_range() -> None:
  keys = jax.random.split(jax.random.key(0), 200)
  views = np.asarray(jax.vmap(lambda key: strong(key, IMAGE[:8]))(keys))
  assert views.min() >= 0
  assert views.max() <= 1 + 1e-6
  holes = (views == 0.5).all(axis=-1)
  assert holes.any(axis=(1, 2)).all()
  assert {*holes.any(axis=2).sum(axis=1)} == {2, 3, 4}, 'rows; fewer where it crosses the border'
  assert HOLE * 8 == 4
  # Only a posterised, flat or unchanged pixel keeps its value: most views differ from all others.
  assert len({view.tobytes() for view in views}) == 200


@pytest.mark.parametrize(('view', 'share'), [('weak', 0.1), ('slight', 0.1), ('strong', 0.5)])
def test_vectors_lose_entries(view: str, share: float) -> None:
  vector = jnp.arange(1.0, 1001.0)
  seen = np.asarray(VIEWS[view](jax.random.key(0), vector))
  kept = seen != 0
  np.testing.assert_array_equal(seen[kept], np.asarray(vector)[kept])
  deviation = np.sqrt(1000 * share * (1 - share))
  assert abs(kept.sum() - 1000 * (1 - share)) < 5 * deviation


def _colour(name: str, pixels: list[float], strength: float) -> np.ndarray:
  """Returns what becomes of a row of grey pixels."""
  image = jnp.asarray(pixels)[None, :, None]
  return np.asarray(COLOUR[name](image, jnp.float32(strength)))[0, :, 0]


@pytest.mark.parametrize(
  ('name', 'strength', 'expected'),
  [
    ('same', 0.3, [0.2, 0.4, 0.6]),
    ('autocontrast', 0.3, [0.0, 0.5, 1.0]),
    ('brightness', 0.5, [0.1, 0.2, 0.3]),
    ('saturation', 0.5, [0.2, 0.4, 0.6]),
    ('contrast', 0.5, [0.3, 0.4, 0.5]),
    ('posterize', 0.0, [3 / 16, 6 / 16, 9 / 16]),
    ('posterize', 0.99, [51 / 256, 102 / 256, 153 / 256]),
    ('solarize', 0.5, [0.2, 0.4, 0.4]),
    # Rows are repeated: columns (.2 .2 .4), (.2 .4 .6), (.4 .6 .6) each three times, the middle
    # pixel five times; halfway between that and the pixel.
    ('sharpness', 0.5, [(0.2 + 3.2 / 13) / 2, 0.4, (0.6 + 7.2 / 13) / 2]),
  ],
)
def test_colours_by_hand(name: str, strength: float, expected: list[float]) -> None:
  np.testing.assert_allclose(_colour(name, [0.2, 0.4, 0.6], strength), expected, rtol=1e-5)


def test_a_flat_image_stays_flat() -> None:
  for name in COLOUR:
    pixels = _colour(name, [0.25, 0.25], 0.7)
    assert pixels[0] == pixels[1], name
    assert np.isfinite(pixels).all(), name


def test_saturation_draws_to_the_weighted_grey() -> None:
  red = np.asarray(COLOUR['saturation'](jnp.array([[[1.0, 0.0, 0.0]]]), jnp.float32(0.5)))
  np.testing.assert_allclose(red[0, 0], [0.5 + 0.5 * 0.299, 0.5 * 0.299, 0.5 * 0.299], rtol=1e-5)


@pytest.mark.parametrize(
  ('warp', 'expected'),
  [
    (np.eye(3), lambda image: image),
    (np.diag([-1.0, 1.0, 1.0]), lambda image: image[::-1]),
    (np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), lambda image: np.rot90(image, -1)),
    # Half a side of 5 pixels is 2: the view's pixel is that of one row further down.
    (np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]), lambda image: image[[1, 2, 3, 4, 4]]),
    (np.array([[1, 0, 0], [0, 1, -1], [0, 0, 1]]), lambda image: image[:, [0, 0, 0, 1, 2]]),
  ],
)
def test_warps_look_pixels_up(
  warp: np.ndarray, expected: Callable[[np.ndarray], np.ndarray]
) -> None:
  image = np.random.RandomState(0).uniform(0, 1, (5, 5, 2)).astype(np.float32)
  warped = augmentation.warped(jnp.asarray(image), jnp.asarray(warp, jnp.float32))
  np.testing.assert_allclose(warped, expected(image), rtol=1e-4, atol=1e-5)


def test_between_pixels_a_warp_takes_their_mean() -> None:
  image = jnp.asarray([[[0.0], [1.0], [3.0]]] * 3)
  half_a_pixel = jnp.array([[1, 0, 0], [0, 1, 0.5], [0, 0, 1]])
  np.testing.assert_allclose(augmentation.warped(image, half_a_pixel)[0, :, 0], [0.5, 2, 3])


def test_warps_by_hand() -> None:
  point = np.array([0.5, 0.2, 1.0])  # y, x, 1
  cos, sin = np.sqrt(3) / 2, 0.5
  expected = [
    [0.5 * cos - 0.2 * sin, 0.5 * sin + 0.2 * cos, 1],
    [0.56, 0.2, 1],
    [0.5, 0.35, 1],
    # Three tenths of a side are six tenths of half of one.
    [1.1, 0.2, 1],
    [0.5, 0.8, 1],
  ]
  assert len(expected) == WARPS
  for operation, place in enumerate(expected):
    moved = np.asarray(augmentation._warp(jnp.int32(operation), jnp.float32(1))) @ point
    np.testing.assert_allclose(moved, place, rtol=1e-5)
    still = augmentation._warp(jnp.int32(operation), jnp.float32(0))
    np.testing.assert_allclose(still, np.eye(3))
  of_colour = augmentation._warp(jnp.int32(WARPS), jnp.float32(1))
  np.testing.assert_allclose(of_colour, np.eye(3))


class Viewer(Method):
  """Declares three views and learns nothing."""

  views = ('weak', 'weak/again', 'strong')

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, _ = self.outputs(batch)
    return {'task': self.task_loss(source, batch.source)}


def test_a_method_sees_views_without_the_mean_each_drawn_by_itself(tmp_path: Path) -> None:
  here = probe(Viewer, tmp_path)
  mean = 0.4  # Of the small problem.
  for examples in (here.batch.source, here.batch.target):
    weak_view, again, strong_view = (np.asarray(examples.views[name]) for name in Viewer.views)
    assert (weak_view != again).any()
    inputs = np.asarray(examples.inputs)
    for row in range(len(inputs)):
      assert set(np.unique(weak_view[row])) <= set(np.unique(inputs[row]))
    assert 0.05 < np.isclose(strong_view, 0.5 - mean, atol=1e-6).mean() < 0.5, 'the grey square'
    assert strong_view.min() >= -mean - 1e-6
    assert strong_view.max() <= 1 - mean + 1e-6
