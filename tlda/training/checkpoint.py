"""Checkpoints: written by Orbax, verified when read, fallen back from when broken.

States are saved as host arrays under flat names, so a checkpoint knows nothing of devices: any
`--distribute`, any number of devices and hosts reads it.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath

from tlda.errors import UserError
from tlda.training import parallel

Arrays = dict[str, np.ndarray]

# Where a run keeps what its selection rule chose: a state for each seed, each of a step of its own.
SELECTED = 'selected'


def named(tree: Any) -> dict[str, Any]:
  """Returns the leaves of a tree, whatever they are, under names such as `params.head.kernel`."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
  name = lambda path: jax.tree_util.keystr(path, simple=True, separator='.')
  return {name(path): leaf for path, leaf in leaves}


def flatten(tree: Any) -> Arrays:
  """Returns the arrays of a tree by the names of `named`."""
  return {name: np.asarray(leaf) for name, leaf in named(tree).items()}


def unflatten(arrays: Arrays, template: Any) -> Any:
  """Returns the tree of `template`'s form with the arrays that `flatten` named.

  Args:
    arrays: As `flatten` returns them.
    template: A tree of arrays, or of anything that has a shape and a dtype.

  Raises:
    UserError: Names, shapes or dtypes differ; the sentence says which.
  """
  wanted = {name: (leaf.shape, np.dtype(leaf.dtype)) for name, leaf in named(template).items()}
  found = {name: (array.shape, array.dtype) for name, array in arrays.items()}
  differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
  if differing:
    name = differing[0]
    raise UserError(
      f'the checkpoint is of another network: {len(differing)} arrays differ, such as {name} '
      f'(checkpoint: {found.get(name)}, network: {wanted.get(name)})'
    )
  return jax.tree.unflatten(jax.tree.structure(template), [arrays[name] for name in wanted])


def _digest(arrays: Arrays) -> str:
  digest = hashlib.sha256()
  for name in sorted(arrays):
    digest.update(f'{name} {arrays[name].shape} {arrays[name].dtype}\n'.encode())
    digest.update(np.ascontiguousarray(arrays[name]).tobytes())
  return digest.hexdigest()


class Checkpoints:
  """The last checkpoints of a run: `DIRECTORY/STEP/`."""

  def __init__(self, directory: Path, keep: int = 2) -> None:
    """Opens a folder of checkpoints, made if need be; `keep` is how many stay."""
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
    self._directory = epath.Path(directory).absolute()  # Orbax takes no relative path.
    self._manager = ocp.CheckpointManager(self._directory, options=options)
    # It would ask the cluster's service with the training step, and `preemption.Notice` asks it
    # with a count of its own: a notice would then be for a step that is far away, or never comes.
    self._manager.reached_preemption = lambda step: False

  def save(self, step: int, tree: Any, note: dict[str, Any]) -> None:
    """Writes one checkpoint, whole or not at all.

    Args:
      step: The steps that were done.
      tree: Host arrays.
      note: What else to keep, as JSON.
    """
    if step in self._manager.all_steps():
      return
    arrays = flatten(tree)
    note = {**note, 'sha256': _digest(arrays)}
    content = ocp.args.Composite(state=ocp.args.StandardSave(arrays), note=ocp.args.JsonSave(note))
    self._manager.save(step, args=content)

  def latest(
    self, say: Callable[[str], object] = print
  ) -> tuple[int, Arrays, dict[str, Any]] | None:
    """Returns step, arrays and note of the newest whole checkpoint; None where there is none.

    A broken one is set aside under another name, and said.

    Args:
      say: What shows a sentence to the user.

    Raises:
      UserError: There are checkpoints, and none is whole.
    """
    steps = sorted(self._manager.all_steps(), reverse=True)
    broken = []
    for step in steps:
      try:
        found = self._read(step)
      except Exception as error:
        broken.append(step)
        say(_broken(self._directory / str(step), error))
        continue
      self._set_aside(broken)
      return found
    if broken:
      raise UserError(
        f'no checkpoint in {self._directory} can be read (steps {broken}); nothing was changed: '
        'restore one of them, or train in another --workdir'
      )
    return None

  def _read(self, step: int) -> tuple[int, Arrays, dict[str, Any]]:
    wanted = ocp.args.Composite(state=ocp.args.StandardRestore(), note=ocp.args.JsonRestore())
    content = self._manager.restore(step, args=wanted)
    arrays = {name: np.asarray(array) for name, array in content['state'].items()}
    if _digest(arrays) != content['note']['sha256']:
      raise ValueError('its arrays are not those that were saved')
    return step, arrays, content['note']

  def _set_aside(self, steps: list[int]) -> None:
    if parallel.is_first_host():
      for step in steps:
        # Of a time: the same step may break again, and nothing that was written is lost.
        (self._directory / str(step)).rename(self._directory / f'broken-{step}-{time.time_ns()}')
    parallel.barrier('set aside')
    if steps:
      self._manager.reload()

  def close(self) -> None:
    """Waits for what is being written."""
    self._manager.close()


def _broken(path: epath.Path, error: Exception) -> str:
  reason = (str(error).splitlines() or [type(error).__name__])[0]
  return f'checkpoint {path} is broken ({reason[:200]}); falling back to the one before'
