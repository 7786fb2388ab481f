"""Gradual self-training: what it learns, and that small steps lead where a large one does not."""

import dataclasses
from pathlib import Path

import numpy as np

from tests.methods.probe import probe, softmax
from tests.problem import BATCH
from tlda.methods import Outputs
from tlda.methods.gradual import GradualSelfTraining


def test_the_surest_are_learned_from_as_they_were_labelled(tmp_path: Path) -> None:
  here = probe(GradualSelfTraining, tmp_path, left_out=0.4)
  logits = np.array([[0.0, 3, 0], [1, 0, 0], [0, 0, 5], [2, 0, 0], [0, 0.1, 0]], np.float32)
  states = here.method.label({}, Outputs(features=np.zeros((5, 2)), logits=logits))
  np.testing.assert_array_equal(states['pseudo_labels']['labels'], [1, 0, 2, 0, 1])
  np.testing.assert_array_equal(states['pseudo_labels']['counts'], [1, 0, 1, 1, 0])
  count = len(here.trainer._run.target.train)
  held = {'labels': np.arange(count) % 3, 'counts': (np.arange(count) % 2).astype(np.float32)}
  index = np.asarray(here.batch.target.index)
  (outputs,) = here.outputs()
  losses = -np.log(softmax(outputs.logits)[np.arange(BATCH), index % 3])
  own = here.but(pseudo_labels=held).terms()['task']
  np.testing.assert_allclose(own, (losses * (index % 2)).mean(), rtol=1e-5)
  assert dataclasses.asdict(here.batch.target)['labels'] is None
