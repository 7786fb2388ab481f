"""A weight file executes nothing: what would run is refused by name, and leaves no trace."""

import io
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.models import torch_bytes as tb
from tlda.errors import UserError
from tlda.models import pretrained
from tlda.models.weights import unpickler

FILES = {'zip': tb.archive, 'legacy': tb.legacy, 'bare': bytes}
ORDERED = tb.named('collections', 'OrderedDict')
WEIGHT = tb.tensor(tb.storage('0', 4), 0, tb.numbers(4), tb.numbers(1))


class Evil:
  """Calls something when Python's own reader unpickles it."""

  def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
    self.call = function, arguments

  def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return self.call


@pytest.mark.parametrize('kind', FILES)
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
  'wrap', [lambda x: x, lambda x: {'state_dict': {'a': x}}, lambda x: [x]], ids=['', 'dict', 'list']
)
def test_a_malicious_pickle_leaves_no_trace(
  tmp_path: Path, kind: str, protocol: int, wrap: Callable[[Any], Any]
) -> None:
  trace = tmp_path / 'trace'
  content = pickle.dumps(wrap(Evil(os.system, f'echo > {trace}')), protocol)
  pickle.loads(content)
  assert trace.exists(), 'the attack does not work even on the reader that it is made for'
  trace.unlink()
  path = tmp_path / 'weights.pth'
  path.write_bytes(FILES[kind](content))
  with pytest.raises(UserError) as caught:
    pretrained.read(str(path))
  assert f'would run {os.name}.system: refused' in str(caught.value)
  assert not trace.exists()


@pytest.mark.parametrize(
  ('function', 'arguments', 'name'),
  [
    (eval, ('1',), 'builtins.eval'),
    (exec, ('',), 'builtins.exec'),
    (getattr, ('', 'join'), 'builtins.getattr'),
    (__import__, ('this',), 'builtins.__import__'),
    (io.open, ('nothing', 'w'), 'open'),
    (dict, (), 'builtins.dict'),
  ],
)
@pytest.mark.parametrize('protocol', [0, 4])
def test_other_functions_are_refused_by_name(
  function: Callable[..., Any], arguments: tuple[Any, ...], name: str, protocol: int
) -> None:
  with pytest.raises(UserError, match=r'would run \w+\.') as caught:
    unpickler.read(io.BytesIO(pickle.dumps(Evil(function, *arguments), protocol)))
  if protocol == 4:
    assert name in str(caught.value)


@pytest.mark.parametrize(
  ('body', 'sentence'),
  [
    # Attributes of what is not a dict, and instructions that make objects of classes.
    (WEIGHT + b'}b', 'would set attributes of a Tensor'),
    (ORDERED + b'}b', 'would set attributes of a Name'),
    (tb.storage('0', 4) + b'}b', 'would set attributes of a Window'),
    (ORDERED + b')\x81', 'instruction NEWOBJ, which'),
    (ORDERED + b')}\x92', 'instruction NEWOBJ_EX, which'),
    (b'(' + ORDERED + b'o', 'instruction OBJ, which'),
    (b'(icollections\nOrderedDict\n', 'instruction INST, which'),
    (b'\x82\x01', 'instruction EXT1, which'),
    (b'P0\n', 'instruction PERSID, which'),
    (b'\x97', 'instruction NEXT_BUFFER, which'),
    # What is called is a value, a type of storages, or was put into the memo.
    (b'})R', 'would call a dict'),
    (tb.text('eval') + b')R', 'would call a str'),
    (tb.named('torch', 'FloatStorage') + b')R', 'would call a Name'),
    (WEIGHT + b'q\x05h\x05)R', 'would call a Tensor'),
    (tb.text('os') + tb.text('system') + b'\x93', r'would run os\.system'),
    (tb.text('torch') + b'q\x010h\x01', 'instruction POP, which'),
    (ORDERED + b'q\x01' + tb.named('os', 'system') + b'q\x01', r'would run os\.system'),
    (ORDERED + ORDERED + b'R', 'arguments that are no tuple'),
    (b'N' + tb.text('system') + b'\x93', 'a name that is no string'),
    (tb.named('torch._utils', '_rebuild_tensor_v2.__globals__'), 'would run torch._utils'),
    (tb.named('o\x1b[31ms', 'system'), r'would run \'o\\x1b\[31ms.system\''),
    # What the functions that are known are not made for.
    (tb.tensor(tb.text('0'), 0, tb.numbers(1), tb.numbers(1)), 'of no storage'),
    (tb.tensor(WEIGHT, 0, tb.numbers(1), tb.numbers(1)), 'of no storage'),
    (tb.tensor(tb.storage('0', 4), 0, b']', tb.numbers(1)), 'of no storage or shape'),
    (tb.tensor(tb.storage('0', 4), 0, tb.row(b'\x88'), tb.numbers(1)), 'that is none'),
    (tb.named('torch._utils', '_rebuild_parameter') + tb.row(b'}') + b'R', 'no tensor'),
    (tb.named('torch._utils', '_rebuild_tensor_v2') + b')R', 'missing 4 required'),
    (tb.row(tb.text('module'), ORDERED) + b'Q', 'code of a model'),
    (tb.row(tb.text('storage'), ORDERED, *[tb.text('0')] * 3) + b'Q', 'a storage of no type'),
    (tb.storage('0', -1), 'a size or an offset that is none'),
    (tb.row(tb.text('storage')) + b'Q', 'not enough values'),
    (b'h\x07', r'pickle \(7\)'),
    (b'u', 'broken or truncated pickle'),
    (b'](' + tb.text('a') + b'Nu', 'a list where a dict belongs'),
    (b'}(' + tb.text('a') + b'u', 'broken or truncated pickle'),
    (b'}(]Nu', 'a key that is no string or number'),
    (tb.tensor(tb.storage('0', 4), 0, tb.numbers(*[1] * 65), tb.numbers(*[1] * 65)), 'no shape'),
    (b'\x8b\xff\xff\xff\x7f', 'broken or truncated pickle'),
    (b'\x8d' + b'\xff' * 8, 'broken or truncated pickle'),
  ],
)
def test_tricks_are_refused(body: bytes, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    unpickler.read(io.BytesIO(tb.pickled(body)))


def test_containers_that_are_made_again_and_again_are_refused(
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  """A list that is remembered is handed over in two bytes: sets of it would fill the memory."""
  monkeypatch.setattr(unpickler, '_MOST_MADE', 1000)
  once = tb.named('builtins', 'set') + b'q\x00](' + b''.join(map(tb.number, range(100))) + b'eq\x01'
  again = b'h\x00h\x01\x85R'
  unpickler.read(io.BytesIO(tb.pickled(once + again * 10)))
  with pytest.raises(UserError, match='more is made of its containers'):
    unpickler.read(io.BytesIO(tb.pickled(once + again * 11)))


def test_attributes_of_a_dict_are_dropped() -> None:
  """PyTorch gives a state dict `_metadata`; no attribute of it is ever set."""
  body = ORDERED + b')R(' + tb.text('a') + tb.number(1) + b'u' + tb.mapping({'update': b'N'}) + b'b'
  found, _ = unpickler.read(io.BytesIO(tb.pickled(body)))
  assert type(found) is dict
  assert found == {'a': 1}


def test_plain_containers_are_read() -> None:
  value = {'a': [1, 2.5, None, True], 'b': (1, (), ('x',)), 3: {'y', 'z'}, 'big': 2**70, 'c': b'1'}
  for protocol in (4, 5):
    assert unpickler.read(io.BytesIO(pickle.dumps(value, protocol)))[0] == value
  value.pop('c')  # Protocol 2 calls a codec for bytes.
  for protocol in (1, 2):
    assert unpickler.read(io.BytesIO(pickle.dumps(value, protocol)))[0] == value
  assert unpickler.read(io.BytesIO(pickle.dumps([{'a': (1, 2.5)}], 0)))[0] == [{'a': (1, 2.5)}]


def test_nothing_that_is_named_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  (tmp_path / 'evil_module.py').write_text('raise SystemExit("imported")')
  monkeypatch.syspath_prepend(tmp_path)
  with pytest.raises(UserError, match=r'would run evil_module\.run'):
    unpickler.read(io.BytesIO(tb.pickled(tb.named('evil_module', 'run'))))
  assert 'evil_module' not in sys.modules
