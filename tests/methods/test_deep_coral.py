"""Deep CORAL: whose covariances, and who is moved by them."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import probe
from tests.problem import CLASSES
from tlda.errors import UserError
from tlda.methods import DeepCORAL


@pytest.mark.parametrize(('layer', 'width'), [('logits', CLASSES), ('features', 12)])
def test_it_compares_the_covariances_of_the_layer(layer: str, width: int, tmp_path: Path) -> None:
  here = probe(DeepCORAL, tmp_path, layer=layer, weight=0.5)
  # The objective passes both domains through batch normalisation together.
  outputs = here.outputs()
  rows = [np.asarray(getattr(o, layer), np.float64) for o in outputs]
  assert rows[0].shape[1] == width
  gap = np.cov(rows[0], rowvar=False) - np.cov(rows[1], rowvar=False)
  expected = 0.5 * (gap**2).sum() / (4 * width**2)
  np.testing.assert_allclose(here.terms()['coral'], expected, rtol=1e-4)


def test_features_move_the_extractor_and_logits_the_head_too(tmp_path: Path) -> None:
  moves: dict[str, Any] = {}
  for layer in ('features', 'logits'):
    gradient = probe(DeepCORAL, tmp_path / layer, layer=layer).slope('coral')
    moves[layer] = {
      group: max(np.abs(leaf).max() for leaf in jax.tree.leaves(tree)) > 0
      for group, tree in gradient.items()
    }
  assert moves == {
    'features': {'extractor': True, 'head': False},
    'logits': {'extractor': True, 'head': True},
  }


def test_another_layer_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='layer=pixels'):
    probe(DeepCORAL, tmp_path, layer='pixels')
