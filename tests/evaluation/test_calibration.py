import math

import numpy as np
import pytest

from tests.references import calibration as references
from tlda.errors import UserError
from tlda.evaluation import calibration


def _problem(seed: int, classes: int = 4, sharpness: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
  """Draws logits that are `sharpness` times as sure as the labels, drawn from them, bear out."""
  rng = np.random.default_rng(seed)
  logits = 1.5 * rng.normal(size=(200, classes))
  weights = np.exp(logits)
  weights /= weights.sum(1, keepdims=True)
  labels = np.array([rng.choice(classes, p=row) for row in weights])
  return sharpness * logits, labels


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('bins', [1, 10, 15])
def test_error_agrees_with_the_reference(seed: int, bins: int) -> None:
  logits, labels = _problem(seed)
  probabilities = calibration.scaled(logits)
  found = calibration.expected_calibration_error(probabilities, labels, bins)
  expected = references.expected_calibration_error(probabilities, labels, bins)
  assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize('sharpness', [0.3, 1.0, 4.0])
def test_temperature_agrees_with_the_reference(sharpness: float) -> None:
  logits, labels = _problem(5, sharpness=sharpness)
  found = calibration.temperature(logits, labels)
  assert found == pytest.approx(references.temperature(logits, labels), rel=1e-5)
  # By the same factor sharper logits, the same factor more.
  assert calibration.temperature(3 * logits, labels) == pytest.approx(3 * found, rel=1e-9)


def test_likelihood_agrees_with_the_reference() -> None:
  logits, labels = _problem(1)
  found = calibration.negative_log_likelihood(logits, labels)
  assert found == pytest.approx(references.negative_log_likelihood(logits, labels))
  assert calibration.negative_log_likelihood(1000 * np.eye(3), [0, 1, 2]) == 0


def test_reliability_by_hand() -> None:
  # Confidences .6 (right), .6 (wrong), .9 (right), 1 (right), in bins of .25.
  probabilities = [[0.6, 0.4], [0.6, 0.4], [0.1, 0.9], [1.0, 0.0]]
  table = calibration.reliability(probabilities, np.array([0, 1, 1, 0]), bins=4)
  np.testing.assert_array_equal(table.counts, [0, 0, 2, 2])
  np.testing.assert_allclose(table.confidence, [0, 0, 0.6, 0.95])
  np.testing.assert_allclose(table.accuracy, [0, 0, 0.5, 1])
  # Half of the examples are off by .1, half by .05.
  error = calibration.expected_calibration_error(probabilities, np.array([0, 1, 1, 0]), 4)
  assert error == pytest.approx(0.075)


def test_a_confidence_on_an_edge_falls_into_the_lower_bin() -> None:
  table = calibration.reliability([[0.5, 0.5], [0.0, 1.0]], np.array([0, 1]), bins=2)
  np.testing.assert_array_equal(table.counts, [1, 1])


def test_temperature_by_hand() -> None:
  # Two classes, 6 apart, right three times of four: the best logit is log 3.
  logits = np.array([[6.0, 0.0]] * 4)
  assert calibration.temperature(logits, np.array([0, 0, 0, 1])) == pytest.approx(6 / math.log(3))
  scaled = calibration.scaled(logits, 6 / math.log(3))
  np.testing.assert_allclose(scaled, [[0.75, 0.25]] * 4)


def test_temperature_has_bounds() -> None:
  logits, labels = np.eye(3), np.arange(3)
  assert calibration.temperature(logits, (labels + 1) % 3) == pytest.approx(calibration.HOTTEST)
  # Half as sure of the only mistake as of all else: the more extreme, the likelier.
  hardly = np.array([[1.0, 0.0]] * 400 + [[0.0, 1e-4]])
  assert calibration.temperature(hardly, np.zeros(401, int)) < 0.1


@pytest.mark.parametrize('logits', [np.eye(3), np.zeros((3, 3))], ids=['right', 'constant'])
def test_where_nothing_is_wrong_no_temperature_is_found(logits: np.ndarray) -> None:
  assert calibration.temperature(logits, np.arange(3)) == 1


def test_scaling_mends_what_is_too_sure() -> None:
  logits, labels = _problem(2, sharpness=5.0)
  before = calibration.expected_calibration_error(calibration.scaled(logits), labels)
  by = calibration.temperature(logits, labels)
  mended = calibration.scaled(logits, by)
  assert calibration.expected_calibration_error(mended, labels) < 0.6 * before
  np.testing.assert_array_equal(mended.argmax(1), logits.argmax(1))


def test_order_does_not_matter() -> None:
  logits, labels = _problem(3)
  order = np.random.default_rng(0).permutation(len(labels))
  classes = np.array([2, 0, 3, 1])
  again = np.empty_like(logits)
  again[:, classes] = logits[order]
  measures = [
    (
      calibration.temperature(z, y),
      calibration.negative_log_likelihood(z, y),
      calibration.expected_calibration_error(calibration.scaled(z), y),
    )
    for z, y in ((logits, labels), (again, classes[labels[order]]))
  ]
  np.testing.assert_allclose(measures[0], measures[1], rtol=1e-9)


def test_refusals() -> None:
  probabilities, labels = np.full((4, 2), 0.5), np.array([0, 1, 0, 1])
  for broken, given, sentence in (
    (probabilities[:3], labels, 'shapes'),
    (probabilities[0], labels, 'shapes'),
    (probabilities[:0], labels[:0], 'shapes'),
    (probabilities * np.nan, labels, 'not finite'),
    (probabilities, labels + 1, 'from 0 to 1'),
    (probabilities, labels.astype(float), 'no integers'),
    (2 * probabilities, labels, 'do not sum to 1'),
  ):
    with pytest.raises(UserError, match=sentence):
      calibration.expected_calibration_error(broken, given)
  with pytest.raises(UserError, match='must be positive'):
    calibration.scaled(probabilities, 0)
