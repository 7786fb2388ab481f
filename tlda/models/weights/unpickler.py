"""A reader of PyTorch's pickles that calls nothing.

A pickle is a program for a small machine with a stack. Python's own reader runs it and calls
whatever it names. This one knows the few instructions that tensors and plain containers need, and
builds records of them; it refuses every other instruction, and every other name, when it meets it.
"""

import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from tlda.errors import UserError
from tlda.models.weights import records
from tlda.models.weights.records import NAMES, Name, Storage, Window

# Members of all containers that are made of others: those of a network's names are thousands.
_MOST_MADE = 2**22


def read(stream: BinaryIO) -> tuple[Any, dict[str, Storage]]:
  """Reads one pickle.

  Args:
    stream: Bytes in memory, at the pickle's first; left behind its last.

  Returns:
    What it holds (plain containers, numbers, strings and `records.Tensor`), and the storages by
    key.

  Raises:
    UserError: It would run something, named in the sentence, or is broken.
  """
  machine = _Machine()
  try:
    for code, argument, _ in pickletools.genops(stream):
      machine.step(code.name, argument)
    return machine.stack.pop(), machine.storages
  # Where warnings are errors, an unknown escape in a broken string raises DeprecationWarning.
  except (LookupError, TypeError, ValueError, AssertionError, DeprecationWarning) as error:
    raise UserError(f'is a broken or truncated pickle ({str(error)[:100]})') from error


class _Machine:
  """The stack, those that wait under each mark, and the memo."""

  def __init__(self) -> None:
    self.stack: list[Any] = []
    self.below: list[list[Any]] = []
    self.memo: dict[int, Any] = {}
    self.storages: dict[str, Storage] = {}
    self.made = 0

  def step(self, code: str, argument: Any) -> None:
    """Does one instruction."""
    if code in _PUSHES:
      self.stack.append(_PUSHES[code](argument))
    elif code in _CONTAINERS:
      make, size = _CONTAINERS[code]
      items = self.marked() if size is None else self.last(size)
      self.stack.append(make(items))
    elif code in _EXTENDS:
      kind, size = _EXTENDS[code]
      self.extend(kind, self.marked() if size is None else self.last(size))
    elif code in _OTHERS:
      _OTHERS[code](self, argument)
    elif code not in ('PROTO', 'FRAME', 'STOP'):
      raise UserError(
        f'has the pickle instruction {code}, which plain containers need not: refused'
      )

  def mark(self, _: Any) -> None:
    """Begins a new stack above this one."""
    self.below.append(self.stack)
    self.stack = []

  def marked(self) -> list[Any]:
    """Takes all since the mark."""
    items, self.stack = self.stack, self.below.pop()
    return items

  def last(self, size: int) -> list[Any]:
    """Takes so many from the top."""
    return [self.stack.pop() for _ in range(size)][::-1]

  def put(self, place: int | None) -> None:
    """Remembers what is on top."""
    self.memo[len(self.memo) if place is None else place] = self.stack[-1]

  def get(self, place: int) -> None:
    """Puts on top what was remembered."""
    self.stack.append(self.memo[place])

  def extend(self, kind: type, items: list[Any]) -> None:
    """Adds to the container on top of the stack, which is of this kind."""
    container = self.stack[-1]
    if type(container) is not kind:
      raise ValueError(f'a {type(container).__name__} where a {kind.__name__} belongs')
    if kind is dict:
      container.update(records.pairs(items[::2], items[1::2]))
    elif kind is set:
      container.update(map(records.key, items))
    else:
      container.extend(items)

  def name(self, text: str | None) -> None:
    """Looks a name up: 'module attribute', or two strings on the stack."""
    parts = self.last(2) if text is None else text.split(' ', 1)
    if not all(isinstance(part, str) for part in parts):
      raise ValueError('a name that is no string')
    name = '.'.join(parts)
    if name not in NAMES:
      raise UserError(
        f'would run {name if name.isprintable() else ascii(name):.200}: refused; a weight file may '
        'hold tensors and plain containers only, as the state_dict() of a model does'
      )
    self.stack.append(NAMES[name])

  def reduce(self, _: Any) -> None:
    """Makes the record of what Python would call."""
    called, arguments = self.last(2)
    if not isinstance(called, Name) or not callable(called.stands_for):
      raise UserError(f'would call a {type(called).__name__} that it holds: refused')
    if type(arguments) is not tuple:
      raise ValueError('arguments that are no tuple')
    # What is remembered costs two bytes to hand over again, and as often makes all of it anew.
    self.made += sum(len(x) for x in arguments if isinstance(x, list | tuple | dict | set | str))
    if self.made > _MOST_MADE:
      raise ValueError('more is made of its containers than a file of weights needs')
    self.stack.append(called.stands_for(*arguments))

  def build(self, _: Any) -> None:
    """Drops the attributes of a dict: PyTorch notes there which version wrote it."""
    self.stack.pop()
    if type(self.stack[-1]) is not dict:
      raise UserError(f'would set attributes of a {type(self.stack[-1]).__name__}: refused')

  def persistent(self, _: Any) -> None:
    """Names a storage: ('storage', type, key, device, size[, a view of it or None])."""
    kind, *rest = self.stack.pop()
    if kind != 'storage':
      raise UserError('holds the code of a model, not only tensors: refused')
    named, key, _, size, *view = rest
    if not isinstance(named, Name) or not isinstance(named.stands_for, np.dtype):
      raise ValueError('a storage of no type')
    if type(key) is not str:
      raise ValueError('a storage without a name')
    storage = Storage(key, named.stands_for, records.count(size))
    if self.storages.setdefault(key, storage) != storage:
      raise ValueError('a storage of two types or sizes')
    offset = 0
    if view and view[0] is not None:
      _, offset, size = view[0]
      if records.count(offset) + records.count(size) > storage.size:
        raise ValueError('a view beyond its storage')
    self.stack.append(Window(storage, offset))


# What is pushed, made of what the instruction carries.
_CARRIED = (
  *('BININT', 'BININT1', 'BININT2', 'LONG1', 'LONG4', 'BINFLOAT', 'INT', 'LONG', 'FLOAT'),
  *(
    'STRING',
    'UNICODE',
    'BINUNICODE',
    'SHORT_BINUNICODE',
    'BINUNICODE8',
    'BINSTRING',
    'SHORT_BINSTRING',
  ),
  *('BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8'),
)
_PUSHES: dict[str, Callable[[Any], Any]] = {
  **dict.fromkeys(_CARRIED, lambda carried: carried),
  'NONE': lambda _: None,
  'NEWTRUE': lambda _: True,
  'NEWFALSE': lambda _: False,
  'EMPTY_TUPLE': lambda _: (),
  'EMPTY_LIST': lambda _: [],
  'EMPTY_DICT': lambda _: {},
  'EMPTY_SET': lambda _: set(),
}
# What is made of how many items, or to what they are added; None: all since the mark.
_CONTAINERS = {
  'TUPLE': (tuple, None),
  'TUPLE1': (tuple, 1),
  'TUPLE2': (tuple, 2),
  'TUPLE3': (tuple, 3),
  'LIST': (list, None),
  'DICT': (lambda items: records.pairs(items[::2], items[1::2]), None),
}
_EXTENDS = {
  'APPEND': (list, 1),
  'APPENDS': (list, None),
  'SETITEM': (dict, 2),
  'SETITEMS': (dict, None),
  'ADDITEMS': (set, None),
}
_OTHERS = {
  'MARK': _Machine.mark,
  'PUT': _Machine.put,
  'BINPUT': _Machine.put,
  'LONG_BINPUT': _Machine.put,
  'MEMOIZE': _Machine.put,
  'GET': _Machine.get,
  'BINGET': _Machine.get,
  'LONG_BINGET': _Machine.get,
  'GLOBAL': _Machine.name,
  'STACK_GLOBAL': _Machine.name,
  'REDUCE': _Machine.reduce,
  'BUILD': _Machine.build,
  'BINPERSID': _Machine.persistent,
}
