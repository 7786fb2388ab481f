"""Fishr: variances of the gradients of single examples, by source and over steps."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np

from tests.methods.generalization.by_hand import logits, risks
from tests.methods.probe import Probe, probe, softmax
from tlda.methods.generalization import Fishr


def variances(here: Probe) -> tuple[np.ndarray, np.ndarray]:
  """Variances by source of the gradients (p - y) of the bias and h (p - y)^T of the kernel."""
  labels = np.asarray(here.batch.source.labels)
  (outputs,) = here.outputs()
  errors = softmax(logits(here).reshape(-1, 3)).reshape(*labels.shape, 3) - np.eye(3)[labels]
  features = np.asarray(outputs.features, np.float64).reshape(*labels.shape, -1)
  kernel = features[..., :, None] * errors[..., None, :]
  return errors.var(axis=1), kernel.var(axis=1)


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(Fishr, tmp_path, at=2, sources=2, weight=5.0, memory=0.5)
  bias, kernel = variances(here)
  rng = np.random.default_rng(0)
  old = {'bias': rng.uniform(size=bias.shape), 'kernel': rng.uniform(size=kernel.shape)}
  before = {name: jnp.asarray(values, jnp.float32) for name, values in old.items()}
  here = here.but(variances={'head': {'logits': before}})
  sums = [0.5 * old['bias'] + bias, 0.5 * old['kernel'] + kernel]
  rows = np.concatenate([x.reshape(2, -1) for x in sums], axis=1)
  terms, states = here.run()
  np.testing.assert_allclose(terms['task'], risks(here).mean(), rtol=1e-5)
  expected = 5 * ((rows - rows.mean(axis=0)) ** 2).mean()
  np.testing.assert_allclose(terms['variances'], expected, rtol=1e-4)
  found = states['variances']['head']['logits']
  np.testing.assert_allclose(found['bias'], sums[0], rtol=1e-4)
  np.testing.assert_allclose(found['kernel'], sums[1], rtol=1e-4)
  assert here.but(at=0).terms()['variances'] == 0
