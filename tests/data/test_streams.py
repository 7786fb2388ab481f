"""A batch is a function of the seed and the step."""

import dataclasses
import time

import numpy as np
import pytest

from tlda.data import Stream
from tlda.data.streams import permutation
from tlda.errors import UserError


def drawn(stream: Stream, steps: int) -> np.ndarray:
  return np.concatenate([stream.indices(step) for step in range(steps)])


def test_every_epoch_is_another_permutation() -> None:
  indices = drawn(Stream(12, 4, 0, 'source'), 9).reshape(3, 12)
  for epoch in indices:
    assert sorted(epoch) == list(range(12))
  assert len({tuple(epoch) for epoch in indices}) == 3


def test_batches_reach_over_the_end_of_an_epoch() -> None:
  stream = Stream(10, 4, 0, 'source')
  order = np.concatenate([permutation(10, 0, 'source', epoch) for epoch in range(2)])
  np.testing.assert_array_equal(drawn(stream, 5), order)
  np.testing.assert_array_equal(stream.indices(2), order[8:12])


@pytest.mark.parametrize('batch_size', [3, 7, 8, 20])
def test_a_batch_may_be_larger_than_the_set(batch_size: int) -> None:
  indices = drawn(Stream(3, batch_size, 0, 'source'), 6)
  whole = len(indices) // 3
  for epoch in indices[: whole * 3].reshape(whole, 3):
    assert sorted(epoch) == [0, 1, 2]


@pytest.mark.parametrize('examples', [1, 5, 64, 1000])
def test_any_step_can_be_the_first(examples: int) -> None:
  kind = {'examples': examples, 'batch_size': 64, 'seed': 3, 'name': 'target'}
  stream = Stream(**kind)
  in_order = [stream.indices(step) for step in range(40)]
  for step in (39, 0, 17, 17, 16, 31):
    np.testing.assert_array_equal(Stream(**kind).indices(step), in_order[step])
    np.testing.assert_array_equal(stream.indices(step), in_order[step])


@pytest.mark.parametrize('change', [{'seed': 1}, {'name': 'target'}])
def test_seeds_and_names_have_orders_of_their_own(change: dict) -> None:
  stream = Stream(100, 100, 0, 'source')
  assert (dataclasses.replace(stream, **change).indices(0) != stream.indices(0)).any()


def test_the_batch_size_does_not_change_the_order() -> None:
  small, large = Stream(50, 5, 0, 'source'), Stream(50, 25, 0, 'source')
  np.testing.assert_array_equal(drawn(small, 30), drawn(large, 6))


def test_the_order_stays_the_same_from_version_to_version() -> None:
  # Written down once: checkpoints of runs that were begun with it rely on it.
  order = permutation(8, seed=0, name='source/mnist', epoch=0)
  assert order.dtype == np.int32
  assert order.tolist() == [7, 0, 3, 6, 1, 5, 2, 4]


def test_a_step_costs_microseconds() -> None:
  stream = Stream(60_000, 64, 0, 'source')
  stream.indices(0)
  start = time.perf_counter()
  for step in range(900):  # One epoch has 937.
    stream.indices(step)
  assert (time.perf_counter() - start) / 900 < 1e-3  # Measured: 1e-6.


def test_mistakes() -> None:
  with pytest.raises(UserError, match='source/mnist has no examples'):
    Stream(0, 4, 0, 'source/mnist')
  with pytest.raises(UserError, match='batch size of target must be at least 1, not 0'):
    Stream(4, 0, 0, 'target')
