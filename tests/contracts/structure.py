"""Rules of the code's shape. Each looks at one file and yields what is wrong with it.

`test_structure.py` holds every file to them, and each rule to a snippet that breaks it.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

# What each room may import; nothing imports upward. Only losses do not know these three.
_GROUND = {'errors', 'axis', 'ranges'}
_MODELS = _GROUND | {'models'}
_TASKS = _MODELS | {'tasks', 'losses'}
_TRAINING = _TASKS | {'methods', 'evaluation', 'transfer', 'data'}
BELOW = {
  'errors': set(),
  'axis': set(),
  'ranges': {'errors'},
  'losses': set(),
  'shallow': {'errors', 'losses'},
  'models': _GROUND,
  'tasks': _TASKS,
  'transfer': _MODELS,  # Some strategies add modules to the network.
  'data': _GROUND,
  'methods': _TASKS,
  'evaluation': _TASKS | {'transfer', 'data'},
  'training': _TRAINING,
  'report': _TASKS | {'methods', 'evaluation'},
  'experiments': _TRAINING | {'training', 'report', 'shallow'},
  'scripts': _TRAINING | {'training', 'report', 'shallow', 'experiments'},
}
LOSSES_STAND_ON = {'jax', 'optax', 'chex', 'typing', 'collections', 'functools', 'math'}
DEVICES = re.compile(
  r'jax\.(devices|local_devices|device_count|local_device_count|process_index|process_count|pmap'
  r'|shard_map|make_mesh|set_mesh|device_put|default_backend|distributed|sharding|NamedSharding|P'
  r'|make_array_from_\w+|experimental\.(multihost_utils|mesh_utils|shard_map))(\.|$)'
  r'|.*\.(addressable_shards|addressable_data|is_fully_addressable)$'
)
COLLECTIVES = re.compile(
  r'(jax\.)?lax\.(psum|pmean|pmax|pmin|all_gather|all_to_all|ppermute|psum_scatter|pcast'
  r'|axis_index|axis_size)$'
)
MACHINE_PATHS = re.compile(r'(?<![\w.$}])/(?:work|tmp|root|home|opt|Users)/|--(?:extra-)?index-url')
MAX_FILE, MAX_FUNCTION = 300, 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


class File:
  """A Python file: its path in the repository, and its text."""

  def __init__(self, path: str, text: str) -> None:
    self.path = path
    self.text = text

  @functools.cached_property
  def tree(self) -> ast.Module:
    return ast.parse(self.text, self.path)

  @property
  def room(self) -> str:
    """The room of `tlda` that it is in, or its top folder."""
    parts = Path(self.path).with_suffix('').parts
    return parts[1] if parts[0] == 'tlda' else parts[0]

  def at(self, node: ast.AST, sentence: str) -> str:
    return f'{self.path}:{getattr(node, "lineno", 1)}: {sentence}'

  def imports(self) -> Iterator[tuple[ast.AST, str]]:
    """Yields each imported name, with its package."""
    for node in ast.walk(self.tree):
      if isinstance(node, ast.Import):
        yield from ((node, alias.name) for alias in node.names)
      elif isinstance(node, ast.ImportFrom):
        package = '.' * node.level + (node.module or '')
        yield from ((node, f'{package}.{alias.name}') for alias in node.names)

  def names(self) -> Iterator[tuple[ast.AST, str]]:
    """Yields each dotted name that is imported or read, and each attribute of something else."""
    yield from self.imports()
    for node in ast.walk(self.tree):
      if isinstance(node, ast.Attribute):
        yield node, ast.unparse(node)

  def functions(self) -> Iterator[Function]:
    yield from (node for node in ast.walk(self.tree) if isinstance(node, Function))


def imports_go_down(file: File) -> Iterator[str]:
  """A room imports itself and what lies below it."""
  if file.room not in BELOW and file.path != 'tlda/__init__.py':
    yield f'{file.path}: {file.room} is no room: give it a floor'
    return
  for node, name in file.imports():
    if name.startswith('.'):
      yield file.at(node, 'a relative import')
    first, _, rest = name.partition('.')
    room = rest.partition('.')[0] if first == 'tlda' else first
    ours = first == 'tlda' and room in BELOW or first in ('experiments', 'scripts', 'tests')
    if ours and room != file.room and room not in BELOW.get(file.room, ()):
      yield file.at(node, f'{file.room} imports {room}, which is not below it')


def losses_stand_on_little(file: File) -> Iterator[str]:
  """A loss is arrays in, array out."""
  for node, name in file.imports() if file.room == 'losses' else ():
    if name.partition('.')[0] not in LOSSES_STAND_ON and not name.startswith('tlda.losses.'):
      yield file.at(node, f'a loss imports {name}')


def devices_stay_in_one_file(file: File) -> Iterator[str]:
  """`parallel.py` is the only file that knows devices; `axis.py` knows the axis by its name."""
  if file.path == 'tlda/training/parallel.py' or file.room == 'scripts':
    return
  for node, name in file.names():
    if DEVICES.match(name):
      yield file.at(node, f'{name} outside tlda/training/parallel.py')
    if COLLECTIVES.match(name) and file.path != 'tlda/axis.py':
      yield file.at(node, f'{name} outside tlda/axis.py')


def flags_stay_outside(file: File) -> Iterator[str]:
  """The package is called with arguments; command lines belong to experiments and scripts."""
  for node, name in file.imports() if file.path.startswith('tlda/') else ():
    if re.match(r'absl\.(app|flags)|argparse', name):
      yield file.at(node, f'{name} in the package')


def public_names_have_docstrings(file: File) -> Iterator[str]:
  """Modules, classes, functions and methods say what they are."""
  places = [file.tree, *(n for n in ast.walk(file.tree) if isinstance(n, ast.ClassDef))]
  members = [node for place in places for node in place.body]
  for node in [file.tree, *members]:
    if not isinstance(node, ast.Module | ast.ClassDef | Function):
      continue
    name = getattr(node, 'name', 'module')
    if not name.startswith('_') and not ast.get_docstring(node):
      yield file.at(node, f'{name} has no docstring')


def functions_are_annotated(file: File) -> Iterator[str]:
  """Every argument but `self` has a type, and so has what is returned."""
  for function in file.functions():
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [a for a in (arguments.vararg, arguments.kwarg) if a]
    bare = [a.arg for a in every if not a.annotation and a.arg not in ('self', 'cls')]
    if not function.returns:
      bare.append('the result')
    if bare:
      yield file.at(function, f'{function.name}: no type for {", ".join(bare)}')


def length(function: Function) -> int:
  """Counts a function's lines, its docstring among them."""
  return function.end_lineno - function.lineno + 1


def files_and_functions_are_short(file: File) -> Iterator[str]:
  """A file is read in a sitting, a function at a glance."""
  lines = file.text.count('\n')
  if lines > MAX_FILE:
    yield f'{file.path}: {lines} lines, of {MAX_FILE} at most'
  for function in file.functions():
    if length(function) > MAX_FUNCTION:
      yield file.at(
        function, f'{function.name}: {length(function)} lines, of {MAX_FUNCTION} at most'
      )


def no_machine_is_named(file: File) -> Iterator[str]:
  """No text, of whatever kind, speaks of one machine's folders or package index."""
  for number, line in enumerate(file.text.splitlines(), start=1):
    if found := MACHINE_PATHS.search(line):
      yield f'{file.path}:{number}: speaks of {found[0]}'
