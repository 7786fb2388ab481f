"""Streams: each example once, answered before it moves anything; when the network begins anew."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from tests.problem import BATCH, CLASSES, domain, make_method
from tlda import transfer
from tlda.errors import UserError
from tlda.methods import SourceOnly
from tlda.methods.initialization import prediction_variables
from tlda.methods.test_time import TENT, BatchNormAdaptation
from tlda.training import stream
from tlda.training.inputs import Preprocessing
from tlda.training.stream import Stream

SPLITS = tuple(domain(name, seed).train for seed, name in enumerate(('left', 'right'), 1))
SHIFTS = (0.0, 0.2)


def make(cls: Any = TENT, **others: Any) -> Stream:
  """A stream of two domains of 44 examples, two batches of each, in two orders."""
  method = make_method(cls, domain('left', 1), domain('right', 2))
  variables = prediction_variables(method)
  moved = [{**variables, 'params': jax.tree.map(lambda x, s=s: x + s, variables['params'])}
           for s in SHIFTS]  # fmt: skip
  schedule = transfer.schedule('constant', 0.5, 1)
  made = Stream(method, transfer.optimizer('sgd', schedule, 1), Preprocessing((0.4,)), SPLITS,
                tuple(moved), (0, 3), BATCH)  # fmt: skip
  return dataclasses.replace(made, **others)


@pytest.fixture(scope='module')
def found() -> dict[str, list[stream.Answers]]:
  return {reset: list(stream.follow(make(reset=reset))) for reset in stream.RESETS}


def test_each_example_comes_at_most_once_in_an_order_by_the_seed(found: Any) -> None:
  for answers in found['never']:
    assert answers.rows.shape == (2, 2 * BATCH)
    assert answers.adapted.shape == answers.unadapted.shape == (2, 2 * BATCH, CLASSES)
    assert all(len(set(rows)) == 2 * BATCH for rows in answers.rows.tolist())
    assert (answers.rows[0] != answers.rows[1]).any()


def test_the_network_begins_anew_when_it_should(found: Any) -> None:
  never, by_domain, by_batch = (
    np.concatenate([answers.adapted for answers in found[reset]], axis=1) for reset in stream.RESETS
  )
  batch = lambda x, number: x[:, number * BATCH : (number + 1) * BATCH]
  equal = lambda x, y, number: np.array_equal(batch(x, number), batch(y, number))
  assert [equal(never, by_domain, n) for n in range(4)] == [True, True, False, False]
  assert [equal(by_domain, by_batch, n) for n in range(4)] == [True, False, True, False]


def test_an_episode_is_the_first_batch_of_a_stream_bit_for_bit(found: Any) -> None:
  """The second domain's second batch, alone: what came before has left nothing."""
  rows = found['batch'][1].rows[0, BATCH:]
  alone = make(splits=(SPLITS[1],), reset='batch')
  again = next(iter(stream.follow(alone)))
  np.testing.assert_array_equal(again.rows[0, BATCH:], rows)
  np.testing.assert_array_equal(again.adapted, found['batch'][1].adapted)


def test_unadapted_answers_are_those_of_the_network_as_it_was(found: Any) -> None:
  plan = make()
  answers = found['never'][1]
  for place, variables in enumerate(plan.variables):
    inputs = plan.preprocessing(jax.numpy.asarray(SPLITS[1].inputs[answers.rows[place]]))
    outputs = plan.method.apply(variables, inputs, plan.method.spec.target_domain)
    np.testing.assert_allclose(answers.unadapted[place], outputs.logits, rtol=1e-4, atol=1e-5)
  labels = SPLITS[1].labels
  adapted, unadapted = answers.errors(labels)
  for logits, errors in ((answers.adapted, adapted), (answers.unadapted, unadapted)):
    wrong = [logits[n].argmax(-1) != labels[answers.rows[n]] for n in range(2)]
    np.testing.assert_allclose(errors, np.mean(wrong, axis=1))


def test_a_scan_answers_as_batch_by_batch(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
  """As on an accelerator: a domain in one call."""
  monkeypatch.setattr(stream, 'stretch', lambda *, resident: 2)
  scan, lengths = jax.lax.scan, []

  def noted(function: Any, state: Any, feeds: Any) -> Any:
    lengths.append(len(jax.tree.leaves(feeds)[0]))
    return scan(function, state, feeds)

  monkeypatch.setattr(jax.lax, 'scan', noted)
  for own, other in zip(stream.follow(make()), found['never'], strict=True):
    np.testing.assert_array_equal(own.rows, other.rows)
    np.testing.assert_allclose(own.adapted, other.adapted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(own.unadapted, other.unadapted, rtol=1e-4, atol=1e-5)
  assert lengths == [2]  # Of two batches; seeds and domains share the program.


def test_labels_do_not_matter(found: Any) -> None:
  hidden = tuple(dataclasses.replace(s, labels=np.full(len(s), -1, np.int32)) for s in SPLITS)
  again = list(stream.follow(make(splits=hidden)))
  for own, other in zip(again, found['never'], strict=True):
    np.testing.assert_array_equal(own.adapted, other.adapted)


@pytest.mark.parametrize(
  ('others', 'sentence'),
  [
    ({'batch_size': 48}, 'a domain of the stream has 44 examples, which is less than a batch'),
    ({'reset': 'always'}, "unknown reset 'always'"),
    ({'cls': SourceOnly}, 'SourceOnly answers no stream'),
    ({'cls': BatchNormAdaptation, 'batch_size': 4}, '4 cannot be shared evenly by 8 devices'),
  ],
)
def test_what_is_refused(others: dict[str, Any], sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    next(iter(stream.follow(make(**others))))
