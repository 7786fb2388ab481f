"""Rotations as a second task: which way images turn, what is drawn, and the loss by hand."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import Probe, largest, probe, softmax
from tests.problem import BATCH, domain, make_method
from tlda.errors import UserError
from tlda.methods import Context, Examples, Rotation
from tlda.methods.rotation import drawn_turns, turn


def test_images_turn_anticlockwise_in_quarters() -> None:
  image = jnp.array([[1, 2], [3, 4]])[None, :, :, None]
  turned = turn(jnp.tile(image, (4, 1, 1, 1)), jnp.array([3, 0, 1, 2]))
  expected = [[[3, 1], [4, 2]], [[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]]]
  np.testing.assert_array_equal(turned[..., 0], expected)


def drawn(step: int, domain: int, positions: np.ndarray) -> np.ndarray:
  """Returns what is drawn for these places in the global batch."""
  none, domains = np.zeros((len(positions), 1)), np.full(len(positions), domain)
  examples = Examples(inputs=none, index=positions, position=positions, domain=domains)
  return np.asarray(drawn_turns(Context(np.int32(step), np.int32(0), 9), examples))


def test_all_four_are_as_likely_and_belong_to_a_place_in_the_batch() -> None:
  places = np.arange(2000)
  first = drawn(0, 0, places)
  # 500 of each are expected, with a standard deviation of 19.4.
  np.testing.assert_allclose(np.bincount(first, minlength=4), 500, atol=80)
  np.testing.assert_array_equal(drawn(0, 0, places[700:900]), first[700:900])
  for other in (drawn(1, 0, places), drawn(0, 1, places)):
    assert abs((other == first).mean() - 0.25) < 0.05


def features(here: Probe, images: np.ndarray) -> np.ndarray:
  """Returns the features of a batch of images, normalised by the statistics of this batch."""
  own = jax.tree.map(lambda x: np.asarray(x, np.float64), here.state.params['extractor'])
  dense = lambda name, x: x @ own[name]['kernel'] + own[name]['bias']
  x = dense('Dense_0', images.reshape(len(images), -1).astype(np.float64))
  x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
  x = x * own['Normalization_0']['scale'] + own['Normalization_0']['bias']
  return np.tanh(dense('Dense_1', np.maximum(x, 0)))


def loss(here: Probe, group: str, seen: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Returns the cross-entropy of each example under a linear head."""
  head = here.state.params[group]['logits']
  chances = softmax(seen @ np.asarray(head['kernel'], np.float64) + head['bias'])
  return -np.log(chances[np.arange(len(labels)), labels])


def test_terms_are_the_task_and_the_rotations_of_both_domains(tmp_path: Path) -> None:
  here = probe(Rotation, tmp_path, weight=0.3)
  source, target = here.batch.source, here.batch.target
  quarters = [np.asarray(drawn_turns(here.context, part)) for part in (source, target)]
  turned = [
    np.rot90(image, quarter)
    for part, own in zip((source, target), quarters, strict=True)
    for image, quarter in zip(np.asarray(part.inputs), own, strict=True)
  ]
  rotation = loss(here, 'rotation_head', features(here, np.stack(turned)), np.concatenate(quarters))
  task = loss(here, 'head', features(here, np.asarray(source.inputs)), np.asarray(source.labels))
  expected = {
    'task': task.mean(),
    'source_rotation': 0.3 * rotation[:BATCH].mean(),
    'target_rotation': 0.3 * rotation[BATCH:].mean(),
  }
  terms = here.terms()
  assert terms.keys() == expected.keys()
  for name, value in expected.items():
    np.testing.assert_allclose(terms[name], value, rtol=1e-4, err_msg=name)


def test_the_target_teaches_the_shared_extractor(tmp_path: Path) -> None:
  slopes = probe(Rotation, tmp_path).slope('target_rotation')
  assert largest(slopes['extractor']) > 1e-3 and largest(slopes['rotation_head']) > 1e-3
  assert largest(slopes['head']) == 0


@pytest.mark.parametrize(
  ('shape', 'dtype', 'said'),
  [((20,), 'float32', '20'), ((8, 6, 3), 'float32', '8x6x3'), ((128,), 'int32', 'text')],
)
def test_what_cannot_be_turned_is_refused(shape: tuple[int, ...], dtype: str, said: str) -> None:
  method = make_method(Rotation, domain('left', 1), domain('right', 2))
  spec = dataclasses.replace(method.spec, input_shape=shape, input_dtype=dtype)
  with pytest.raises(UserError, match=f'Rotation turns images: they must be square, not {said}$'):
    method.clone(spec=spec).check(BATCH)
