"""RSC: which features of which examples are muted, with a linear head by hand."""

from pathlib import Path

import numpy as np

from tests.methods.generalization.by_hand import cross_entropy
from tests.methods.probe import probe, softmax
from tlda.methods import SourceOnly
from tlda.methods.generalization import RSC


def test_the_features_that_count_most_are_muted(tmp_path: Path) -> None:
  here = probe(RSC, tmp_path, sources=2, features=0.25, examples=0.5)
  labels = np.asarray(here.batch.source.labels).reshape(-1)
  features = np.asarray(here.outputs()[0].features, np.float64)
  dense = here.state.params['head']['logits']
  kernel, bias = (np.asarray(dense[name], np.float64) for name in ('kernel', 'bias'))
  predict = lambda h: h @ kernel + bias
  muted, rows = features.copy(), np.arange(len(labels))
  for row, label in enumerate(labels):  # Of 12 features, 3: those that the true logit grows with.
    muted[row, np.argsort(kernel[:, label])[-3:]] = 0
  loss = softmax(predict(features))[rows, labels] - softmax(predict(muted))[rows, labels]
  hurt = loss >= np.sort(loss)[-len(loss) // 2 :][0]
  assert hurt.sum() == len(labels) // 2
  kept = np.where(hurt[:, None], muted, features)
  expected = cross_entropy(predict(kept), labels).mean()
  np.testing.assert_allclose(here.terms()['task'], expected, rtol=1e-4)


def test_with_no_share_it_is_plain_risk_minimisation(tmp_path: Path) -> None:
  here = probe(RSC, tmp_path, sources=2, features=0.0)
  plain = probe(SourceOnly, tmp_path / 'plain', sources=2)
  np.testing.assert_allclose(here.terms()['task'], plain.terms()['task'], rtol=1e-6)
