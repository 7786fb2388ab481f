"""Programs that stand in for Python, so that the scripts run without a network and in no time."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ('bash', 'env', 'cat', 'date', 'dirname', 'mkdir', 'mv', 'rm', 'sleep', 'tar', 'mktemp')

_PYTHON = """#!{python} -S
import os, shutil, sys
from pathlib import Path
arguments = sys.argv[1:]
if arguments[0] == '-c':
  sys.version_info, sys._base_executable = {version}, {path!r}
  exec(arguments[1])
elif arguments[:2] == ['-m', 'venv']:
  Path(arguments[2], 'bin').mkdir(parents=True)
  shutil.copy(__file__, Path(arguments[2], 'bin', 'python'))
else:
  with open({log!r}, 'a') as log:
    print(*arguments, file=log)
  if arguments[1] in os.environ.get('FAILS', '').split():
    sys.exit(7)
"""


def write(path: Path, text: str) -> Path:
  """Writes an executable."""
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(text)
  path.chmod(path.stat().st_mode | stat.S_IXUSR)
  return path


class Checkout:
  """A copy of the scripts beside stub interpreters, on a machine that has nothing else."""

  def __init__(self, folder: Path) -> None:
    self.root = folder / 'checkout'
    self.bin = folder / 'bin'
    self.log = folder / 'log'
    self.bin.mkdir(parents=True)
    for tool in TOOLS:
      (self.bin / tool).symlink_to(shutil.which(tool))
    for name in ('scripts', '.ci'):
      shutil.copytree(ROOT / name, self.root / name)
    for path in ROOT.glob('requirements*'):
      shutil.copy(path, self.root)

  def python(self, name: str, version: tuple[int, ...]) -> Path:
    """Adds an interpreter of this version to the machine."""
    path = self.bin / name
    text = _PYTHON.format(python=sys.executable, version=version, path=str(path), log=str(self.log))
    return write(path, text)

  def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a script with only the stubs on the path."""
    inherited = {'TMPDIR': os.environ['TMPDIR']} if 'TMPDIR' in os.environ else {}
    return subprocess.run(
      [self.root / script, *arguments],
      env=inherited | {'PATH': str(self.bin)} | environment,
      capture_output=True,
      text=True,
      timeout=60,
    )

  def calls(self) -> list[str]:
    """Returns what the interpreters were asked to run since the last look."""
    calls = self.log.read_text().splitlines() if self.log.exists() else []
    self.log.unlink(missing_ok=True)
    return calls
