"""Multi-head attention between the places of a sequence."""

import jax


def attend(
  query: jax.Array, key: jax.Array, value: jax.Array, *, heads: int, mask: jax.Array | None = None
) -> jax.Array:
  """Averages values by how well their keys fit each query, in each head.

  Scaled dot-product attention of Vaswani et al., *Attention Is All You Need* (NeurIPS 2017),
  equation 1; its softmax is computed in float32.

  Args:
    query: `[batch, length, width]`, heads side by side.
    key: Like `query`.
    value: Like `query`.
    heads: The number of heads, which divides `width`.
    mask: bool `[batch, length]`, which places may be looked at; None is all.

  Returns:
    An array like `query`.
  """
  split = lambda x: x.reshape(*x.shape[:2], heads, -1)
  seen = None if mask is None else mask[:, None, None, :]
  mixed = jax.nn.dot_product_attention(split(query), split(key), split(value), mask=seen)
  return mixed.reshape(query.shape)
