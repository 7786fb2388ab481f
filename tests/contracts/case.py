"""A loss as the contract sees it: its kind, its arguments, its reference."""

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.references import ARGUMENTS, SIZES, Argument, Minimum

Arrays = dict[str, Any]
Loss = Callable[..., jax.Array]
BY_ROW = ('per example', 'paired rows')
WHOLE = ('one sample', 'two samples')


@dataclasses.dataclass(frozen=True)
class Case:
  """A loss and the module (or any namespace) that holds its reference."""

  loss: Loss
  references: Any

  @property
  def name(self) -> str:
    return self.loss.__name__

  @property
  def doc(self) -> str:
    return inspect.getdoc(self.loss) or ''

  @functools.cached_property
  def kind(self) -> str:
    found = re.search(r'^Kind: ([a-z ]+)\.$', self.doc, re.MULTILINE)
    kind = found and found[1]
    assert kind in BY_ROW + WHOLE, f'{self.name}: no line "Kind: {"|".join(BY_ROW + WHOLE)}."'
    return kind

  @functools.cached_property
  def sizes(self) -> dict[str, int]:
    paired = {'source': SIZES['batch'], 'target': SIZES['batch']}
    return SIZES | (paired if self.kind == 'paired rows' else {})

  @functools.cached_property
  def arguments(self) -> dict[str, Argument]:
    """The arguments that hold arrays; every positional one does."""
    known = ARGUMENTS | self._of_reference('ARGUMENTS', {})
    parameters = inspect.signature(self.loss).parameters.values()
    unknown = [p.name for p in parameters if p.kind != p.KEYWORD_ONLY and p.name not in known]
    assert not unknown, f'{self.name}: no ARGUMENTS in tests/references know {unknown}'
    return {p.name: known[p.name] for p in parameters if p.name in known}

  @functools.cached_property
  def settings(self) -> list[dict[str, Any]]:
    settings = self._of_reference('SETTINGS', {}).get(self.name, [{}])
    static = set(inspect.signature(self.loss).parameters) - set(self.arguments)
    untested = static - {name for setting in settings for name in setting}
    assert not untested, f'{self.name}: no SETTINGS in its reference try {sorted(untested)}'
    return settings

  @property
  def stopped(self) -> list[str]:
    return self._of_reference('STOPPED', {}).get(self.name, [])

  def held(self, **arguments: Any) -> dict[str, Any]:
    """What the loss computes of its arguments and holds constant in its gradient."""
    hold = self._of_reference('HELD', {}).get(self.name, lambda **_: {})
    return hold(**arguments)

  @property
  def reference(self) -> Callable[..., Any]:
    function = self._of_reference(self.name, None)
    assert function, f'{self.name}: no reference in tests/references'
    return function

  @property
  def minimum(self) -> Minimum:
    minimum = self._of_reference('MINIMA', {}).get(self.name)
    assert minimum, f'{self.name}: no MINIMA in its reference'
    return minimum

  def _of_reference(self, name: str, default: Any) -> Any:
    return getattr(self.references, name, default)

  @property
  def required(self) -> list[str]:
    parameters = inspect.signature(self.loss).parameters
    return [name for name in self.arguments if parameters[name].default is inspect.Parameter.empty]

  @functools.cached_property
  def variants(self) -> list[tuple[Loss, Callable[..., Any], list[str]]]:
    """Loss, compiled, and reference with each setting, without and with the optional arrays."""
    choices = [self.required]
    if len(self.required) < len(self.arguments):
      choices.append(list(self.arguments))
    return [
      (
        jax.jit(functools.partial(self.loss, **setting)),
        functools.partial(self.reference, **setting),
        names,
      )
      for setting in self.settings
      for names in choices
    ]

  def draw(self, names: list[str], seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: self.arguments[name].draw(rng, self.sizes) for name in names}


def is_float(x: Any) -> bool:
  """Tells whether an argument, an array or a tree of arrays, holds floating-point numbers."""
  return all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(x))


def cast(arrays: Arrays, dtype: Any) -> Arrays:
  """Makes JAX arrays: numbers of `dtype`, int32 integers; random keys stay."""

  def cast(x: Any) -> jax.Array:
    return x if isinstance(x, jax.Array) else jnp.asarray(x, dtype if is_float(x) else jnp.int32)

  return jax.tree.map(cast, arrays)


def widen(arrays: Arrays) -> Arrays:
  """Makes NumPy arrays of JAX ones, float64 where they hold floating-point numbers."""

  def widen(x: jax.Array) -> Any:
    if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
      return x
    return np.asarray(x, np.float64 if is_float(x) else np.int64)

  return jax.tree.map(widen, arrays)


def double(loss: Loss, arrays: Arrays) -> np.ndarray:
  """Computes a loss in float64."""
  with jax.enable_x64(True):
    value = loss(**cast(arrays, jnp.float64))
    assert value.dtype == jnp.float64, f'float64 inputs became {value.dtype}'
    return np.asarray(value)
