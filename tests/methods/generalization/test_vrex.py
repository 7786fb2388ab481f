"""VREx: the variance of the risks of sources, and when it counts."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.probe import Probe, probe, softmax
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods.generalization import VREx
from tlda.training.run import refuse


def risks(here: Probe) -> np.ndarray:
  """The mean cross-entropy of each source, in float64."""
  (outputs,), labels = here.outputs(), np.asarray(here.batch.source.labels)
  probabilities = softmax(outputs.logits).reshape(*labels.shape, -1)
  losses = -np.log(np.take_along_axis(probabilities, labels[..., None], axis=-1))
  return losses.mean(axis=(1, 2))


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(VREx, tmp_path, sources=2, weight=3.0)
  first, second = risks(here)
  terms = here.terms()
  np.testing.assert_allclose(terms['task'], (first + second) / 2, rtol=1e-5)
  np.testing.assert_allclose(terms['variance'], 3 * ((first - second) / 2) ** 2, rtol=1e-3)
  assert abs(first - second) > 1e-2


def test_the_weight_steps_up(tmp_path: Path) -> None:
  here = probe(VREx, tmp_path, sources=2, weight=3.0, begin=0.5)
  before, after = (here.but(at=at).terms()['variance'] for at in (1, 2))
  np.testing.assert_allclose(after, 3 * before, rtol=1e-5)


def test_a_single_source_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='VREx compares sources, 2 or more: --source=left is 1'):
    refuse(make_run(VREx, tmp_path))
