"""Composes PyTorch's files byte by byte: PyTorch is not there to write them."""

import io
import struct
import zipfile
from collections.abc import Mapping

MAGIC = 0x1950A86A20F9469CFC6C


def text(value: str) -> bytes:
  """A string."""
  return b'X' + struct.pack('<I', len(value.encode())) + value.encode()


def number(value: int) -> bytes:
  """An integer of any size."""
  size = value.bit_length() // 8 + 1
  return b'\x8a' + bytes([size]) + value.to_bytes(size, 'little', signed=True)


def row(*items: bytes) -> bytes:
  """A tuple."""
  return b'(' + b''.join(items) + b't'


def numbers(*values: int) -> bytes:
  """A tuple of integers."""
  return row(*map(number, values))


def named(module: str, attribute: str) -> bytes:
  """A function or class."""
  return f'c{module}\n{attribute}\n'.encode()


def mapping(items: Mapping[str, bytes]) -> bytes:
  """A dict."""
  return b'}(' + b''.join(text(key) + value for key, value in items.items()) + b'u'


def storage(key: str, size: int, kind: str = 'Float', *view: bytes) -> bytes:
  """A storage."""
  parts = (text('storage'), named('torch', f'{kind}Storage'), text(key), text('cpu'), number(size))
  return row(*parts, *view) + b'Q'


def tensor(of: bytes, offset: int, shape: bytes, strides: bytes) -> bytes:
  """A tensor; shape and strides are tuples."""
  hooks = named('collections', 'OrderedDict') + b')R'
  arguments = row(of, number(offset), shape, strides, b'\x89', hooks)
  return named('torch._utils', '_rebuild_tensor_v2') + arguments + b'R'


def pickled(body: bytes) -> bytes:
  """A pickle of protocol 2."""
  return b'\x80\x02' + body + b'.'


def archive(
  content: bytes,
  storages: Mapping[str, bytes] | None = None,
  *,
  order: bytes = b'little',
  compression: int = zipfile.ZIP_STORED,
) -> bytes:
  """A zip file of today; `content` is its pickle."""
  stream = io.BytesIO()
  with zipfile.ZipFile(stream, 'w', compression) as file:
    file.writestr('made/data.pkl', content)
    file.writestr('made/byteorder', order)
    for key, data in (storages or {}).items():
      file.writestr(f'made/data/{key}', data)
  return stream.getvalue()


def legacy(
  content: bytes, storages: Mapping[str, tuple[int, bytes]] | None = None, *, little: bool = True
) -> bytes:
  """A file from before 2020; a storage is its size and its bytes."""
  storages = storages or {}
  machine = mapping({'little_endian': b'\x88' if little else b'\x89'})
  keys = b'](' + b''.join(map(text, storages)) + b'e'
  parts = [pickled(number(MAGIC)), pickled(number(1001)), pickled(machine), content, pickled(keys)]
  return b''.join(parts) + b''.join(struct.pack('<q', n) + data for n, data in storages.values())
