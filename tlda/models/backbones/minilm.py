"""MiniLM (Wang et al., NeurIPS 2020), a BERT (Devlin et al., NAACL 2019) distilled to 6 layers.

In the size of the sentence encoder all-MiniLM-L6-v2 (Reimers, Gurevych: *Sentence-BERT*, EMNLP
2019). The names of parameters are shorter than in its file (`layer_0/query`); `published` has
theirs.
"""

import re
from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda.errors import UserError
from tlda.models.attention import attend
from tlda.models.bottleneck import bottleneck_network
from tlda.models.network import Network
from tlda.models.published import Published, torch_name

_PADDING = 0
_INIT = nn.initializers.truncated_normal(0.02)
_Dense = partial(nn.Dense, kernel_init=_INIT)
_Embed = partial(nn.Embed, embedding_init=_INIT)
_Norm = partial(nn.LayerNorm, epsilon=1e-12, use_fast_variance=False)

_PARTS = {
  'query': 'attention.self.query',
  'key': 'attention.self.key',
  'value': 'attention.self.value',
  'mixed': 'attention.output.dense',
  'mixed_norm': 'attention.output.LayerNorm',
  'hidden': 'intermediate.dense',
  'output': 'output.dense',
  'output_norm': 'output.LayerNorm',
}


def _published_name(path: str) -> str:
  """Returns 'encoder.layer.0.attention.self.query.weight' of 'layer_0/query/kernel'."""
  name = torch_name(path)
  in_layer = re.fullmatch(r'(layer\.\d+)\.(\w+)\.(\w+)', name)
  if not in_layer:
    return name
  layer, part, leaf = in_layer.groups()
  return f'encoder.{layer}.{_PARTS[part]}.{leaf}'


class Embeddings(nn.Module):
  """Token and position embeddings, added up and normalised.

  Attributes:
    vocabulary: The number of tokens.
    positions: The number of positions.
    width: The width of the embeddings.
  """

  vocabulary: int
  positions: int
  width: int

  @nn.compact
  def __call__(self, tokens: jax.Array) -> jax.Array:
    """Returns `[batch, length, width]` of int tokens `[batch, length]`."""
    x = _Embed(self.vocabulary, self.width, name='word_embeddings')(tokens)
    x += _Embed(self.positions, self.width, name='position_embeddings')(jnp.arange(tokens.shape[1]))
    # BERT tells the first text from the second; here all is the first.
    x += _Embed(2, self.width, name='token_type_embeddings')(jnp.zeros((), int))
    return _Norm(name='LayerNorm')(x)


class Layer(nn.Module):
  """A transformer layer that normalises last.

  Attributes:
    heads: The number of heads.
    hidden: The width of the hidden dense layer.
    dropout: The share that is dropped in training of what is added to the identity.
  """

  heads: int
  hidden: int
  dropout: float

  @nn.compact
  def __call__(self, x: jax.Array, mask: jax.Array, *, train: bool) -> jax.Array:
    """Returns an array like `x`, `[batch, length, width]`; `mask` says which places are tokens."""
    width, drop = x.shape[-1], nn.Dropout(self.dropout, deterministic=not train)
    parts = [_Dense(width, name=name)(x) for name in ('query', 'key', 'value')]
    mixed = _Dense(width, name='mixed')(attend(*parts, heads=self.heads, mask=mask))
    x = _Norm(name='mixed_norm')(x + drop(mixed))
    hidden = nn.gelu(_Dense(self.hidden, name='hidden')(x), approximate=False)
    return _Norm(name='output_norm')(x + drop(_Dense(width, name='output')(hidden)))


class MiniLM(nn.Module):
  """A BERT encoder whose features are the mean over the tokens of its last layer.

  The file's pooler is not used, nor was it in training it. The sentence encoder ends by scaling the
  mean to length 1, which is left to whoever compares sentences. BERT's dropout is left out of the
  attention's weights. Each layer's outputs `[batch, length, width]` are a stage.

  Attributes:
    width: The width of the embeddings.
    heads: The number of heads of each attention.
    depth: The number of layers.
    hidden: The width of the hidden dense layer of each.
    vocabulary: The number of tokens; token 0 is padding.
    positions: The most tokens in a text.
    dropout: The share that is dropped in training (needs the key 'dropout').
  """

  width: int = 384
  heads: int = 12
  depth: int = 6
  hidden: int = 1536
  vocabulary: int = 30522
  positions: int = 512
  dropout: float = 0.1

  published: ClassVar[Published] = Published(
    size=256,
    mean=(),
    std=(),
    ignored=(r'pooler\..*', r'embeddings\.position_ids'),
    rename=_published_name,
  )

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return ('embeddings',), *((f'layer_{place}',) for place in range(self.depth))

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Computes features of texts.

    Args:
      inputs: Token ids `[batch, length]`, of an integer dtype or whole numbers of a floating one;
        0 is padding, and changes nothing.
      domain: Not used.
      train: Whether units are dropped.

    Returns:
      `[batch, width]`; of a text without tokens zeros.

    Raises:
      UserError: A text is longer than `positions`.
    """
    del domain
    tokens = inputs.astype(jnp.int32)
    if tokens.shape[1] > self.positions:
      raise UserError(f'texts have {tokens.shape[1]} tokens, of {self.positions} at most')
    mask = tokens != _PADDING
    x = Embeddings(self.vocabulary, self.positions, self.width, name='embeddings')(tokens)
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    for place in range(self.depth):
      x = Layer(self.heads, self.hidden, self.dropout, name=f'layer_{place}')(x, mask, train=train)
      self.sow('intermediates', f'stage{place + 1}', x)
    total = jnp.where(mask[..., None], x, 0).sum(1)
    return total / jnp.maximum(mask.sum(1, keepdims=True), 1).astype(x.dtype)


def minilm(classes: int, normalization: str, domains: int) -> Network:
  """MiniLM with a bottleneck of 256, a linear head, and the domain head 1024-1024-1."""
  return bottleneck_network(MiniLM(), classes, normalization, domains)
