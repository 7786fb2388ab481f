"""Attention against NumPy."""

import jax.numpy as jnp
import numpy as np

from tlda.models.attention import attend

RNG = np.random.default_rng(0)
QUERY, KEY, VALUE = RNG.normal(size=(3, 2, 5, 6)).astype(np.float32)
MASK = np.array([[True] * 5, [True, False, True, True, False]])


def by_numpy(heads: int, mask: np.ndarray) -> np.ndarray:
  result = np.zeros(QUERY.shape)
  size = QUERY.shape[-1] // heads
  for head in range(heads):
    part = slice(head * size, (head + 1) * size)
    query, key, value = (x.astype(np.float64)[..., part] for x in (QUERY, KEY, VALUE))
    weights = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(size)) * mask[:, None]
    result[..., part] = weights / weights.sum(-1, keepdims=True) @ value
  return result


def test_heads_attend_by_themselves() -> None:
  for heads in (1, 2, 3):
    expected = by_numpy(heads, np.ones((2, 5), bool))
    np.testing.assert_allclose(attend(QUERY, KEY, VALUE, heads=heads), expected, atol=1e-5)


def test_what_is_masked_is_not_looked_at() -> None:
  got = attend(QUERY, KEY, VALUE, heads=2, mask=MASK)
  np.testing.assert_allclose(got, by_numpy(2, MASK), atol=1e-5)


def test_bfloat16_stays_bfloat16() -> None:
  parts = [jnp.asarray(x, jnp.bfloat16) for x in (QUERY, KEY, VALUE)]
  got = attend(*parts, heads=2)
  assert got.dtype == jnp.bfloat16
  np.testing.assert_allclose(
    np.asarray(got, np.float32), by_numpy(2, np.ones((2, 5), bool)), atol=0.05
  )
