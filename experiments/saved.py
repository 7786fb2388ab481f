"""A finished run, read back from its folder: its network and weights, without its data."""

import dataclasses
import json
from typing import Any

import jax
import numpy as np
from etils import epath
from flax import traverse_util

from experiments import network
from tlda import methods
from tlda.errors import UserError
from tlda.training.inputs import Preprocessing
from tlda.training.run import Run
from tlda.training.start import arrays_of_run


@dataclasses.dataclass(frozen=True)
class About:
  """What a finished run says of itself.

  Attributes:
    spec: What its method knew of the problem.
    preprocessing: Of its inputs.
    classes: The name of each class.
    seeds: The seeds.
    flags: What it was trained with.
  """

  spec: methods.Spec
  preprocessing: Preprocessing
  classes: tuple[str, ...]
  seeds: tuple[int, ...]
  flags: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Saved:
  """A trained network, of one seed or several.

  Attributes:
    method: Its method with all parts.
    preprocessing: Of its inputs.
    classes: The name of each class.
    variables: Of each seed, what `method` is applied to.
    seeds: The seeds.
    flags: What it was trained with.
  """

  method: methods.Method
  preprocessing: Preprocessing
  classes: tuple[str, ...]
  variables: tuple[dict[str, Any], ...]
  seeds: tuple[int, ...]
  flags: dict[str, Any]

  def branch(self, domain: str) -> int:
    """Returns a domain's branch of per-domain normalisation; of an unknown one the target's."""
    sources = [source.name for source in self.method.spec.sources]
    return [*sources, domain].index(domain)

  def outputs(self, inputs: np.ndarray) -> list[methods.Outputs]:
    """Returns what each seed's network says of stored inputs `[batch, ...]` of the target."""
    branch = self.method.spec.target_domain
    return [self._apply(own, inputs, branch) for own in self.variables]

  def _apply(self, variables: Any, inputs: np.ndarray, branch: int) -> methods.Outputs:
    return _predict(self.method, self.preprocessing, variables, inputs, branch)

  def probabilities(self, inputs: np.ndarray) -> np.ndarray:
    """Returns `[batch, classes]`, the mean over seeds of what each network predicts."""
    return np.mean([jax.nn.softmax(each.logits) for each in self.outputs(inputs)], axis=0)


@jax.jit(static_argnums=(0, 1))
def _predict(
  method: methods.Method, preprocessing: Preprocessing, variables: Any, inputs: Any, branch: int
) -> methods.Outputs:
  return method.apply(variables, preprocessing(inputs), branch)


def describe(run: Run) -> dict[str, Any]:
  """Returns what `config.json` must say of a run so that `load` finds its network again."""
  return {
    'spec': dataclasses.asdict(run.method.spec),
    'preprocessing': dataclasses.asdict(run.preprocessing),
    'classes': list(run.target.classes),
  }


def load(workdir: str, flag: str = '--workdir') -> Saved:
  """Reads a finished run: for each seed the last step, or the one that its `--select` chose.

  Args:
    workdir: Its folder.
    flag: What the user named it by.

  Raises:
    UserError: It is no finished run, or one that does not say what its network is.
  """
  known = about(workdir, flag)
  kind = methods.get(known.flags['method'])
  try:
    parts = network.build(known.flags, kind, known.spec)
    method = network.method(known.flags, kind, known.spec, parts)
  except KeyError as error:
    raise UserError(
      f'{flag}={workdir} was trained before there was a flag {error}: train it again, or take the '
      'checkout of then'
    ) from error
  arrays = arrays_of_run(epath.Path(workdir), known.seeds, flag)
  return Saved(
    method=method,
    preprocessing=known.preprocessing,
    classes=known.classes,
    variables=tuple(_variables(arrays, place) for place in range(len(known.seeds))),
    seeds=known.seeds,
    flags=known.flags,
  )


def about(workdir: str, flag: str = '--workdir') -> About:
  """Returns what a finished run says of itself, as `load` without reading its weights."""
  folder = epath.Path(workdir)
  try:
    config = json.loads((folder / 'config.json').read_text())
    found = config['network']
    preprocessing = {name: _tuple(x) for name, x in found['preprocessing'].items()}
    return About(
      spec=_spec(found['spec']),
      preprocessing=Preprocessing(**preprocessing),
      classes=tuple(found['classes']),
      seeds=tuple(json.loads((folder / 'result.json').read_text())['seeds']),
      flags=config['flags'],
    )
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(f'{flag}={workdir} is not the folder of a finished run ({error})') from error


def _variables(arrays: dict[str, np.ndarray], place: int) -> dict[str, Any]:
  own = {
    name: array[place] for name, array in arrays.items() if name.startswith(('params.', 'states.'))
  }
  tree = traverse_util.unflatten_dict(own, sep='.')
  return {'params': tree['params'], **tree.get('states', {})}


def _spec(found: dict[str, Any]) -> methods.Spec:
  domain = lambda d: methods.DomainSpec(d['name'], d['examples'], tuple(d['classes']))
  return methods.Spec(
    classes=found['classes'],
    input_shape=tuple(found['input_shape']),
    sources=tuple(map(domain, found['sources'])),
    target=domain(found['target']),
    input_dtype=found['input_dtype'],
    unknown=found.get('unknown', False),
  )


def _tuple(value: Any) -> Any:
  return tuple(value) if isinstance(value, list) else value
