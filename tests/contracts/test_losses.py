"""Every loss keeps the contract, and the contract catches the losses that do not."""

import functools
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.contracts import losses as contract
from tests.contracts.case import Case
from tests.references import SIZES, Minimum
from tlda import losses


def _modules() -> list[str]:
  return sorted(path.stem for path in Path(losses.__file__).parent.glob('[!_]*.py'))


@functools.cache
def _case(name: str) -> Case:
  loss = getattr(losses, name)
  file = loss.__module__.rpartition('.')[2]
  try:
    references = importlib.import_module(f'tests.references.{file}')
  except ModuleNotFoundError:
    references = None  # the checks say which reference is missing
  return Case(loss, references)


@pytest.mark.parametrize('check', contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize('name', losses.names())
def test_contract(name: str, check: Callable[[Case], None]) -> None:
  check(_case(name))


def test_a_loss_is_covered_by_being_written() -> None:
  written = set()
  for file in _modules():
    module = importlib.import_module(f'tlda.losses.{file}')
    functions = dict(inspect.getmembers(module, inspect.isfunction))
    written |= {
      name
      for name, function in functions.items()
      if function.__module__ == module.__name__ and not name.startswith('_')
    }
  assert losses.names() == sorted(written)


# A loss that uses what the contract offers (optional weights, a keyword, a random key), as good as
# it should be; then one fault at a time.


def sliced(
  source: jax.Array,
  target: jax.Array,
  key: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
  power: int = 2,
) -> jax.Array:
  """Compares the means of two samples along a random direction.

  See "No such title" by Nobody, 2001.

  Kind: two samples.
  Minimum: 0, for equal means.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    key: A random key.
    source_weights: `[source examples]`, or None for equal weights.
    target_weights: `[target examples]`, or None for equal weights.
    power: An even number.

  Returns:
    A scalar.
  """
  chex.assert_rank([source, target], 2)
  chex.assert_equal_shape_suffix([source, target], 1)
  direction = jax.random.normal(key, source.shape[1:], jnp.float32)
  projected = []
  for sample, weights in ((source, source_weights), (target, target_weights)):
    widened = sample.astype(jnp.promote_types(sample.dtype, jnp.float32))
    weights = jnp.ones(len(sample), widened.dtype) if weights is None else weights
    chex.assert_shape(weights, (len(sample),))
    chex.assert_type(weights, float)
    weights = weights.astype(widened.dtype)
    projected.append(weights @ (widened @ direction) / jnp.sum(weights))
  return (projected[0] - projected[1]) ** power


def _reference(
  source: NDArray,
  target: NDArray,
  key: jax.Array,
  *,
  source_weights: NDArray | None = None,
  target_weights: NDArray | None = None,
  power: int = 2,
) -> float:
  direction = np.asarray(jax.random.normal(key, source.shape[1:], jnp.float32))
  means = [
    np.average(sample, axis=0, weights=weights)
    for sample, weights in ((source, source_weights), (target, target_weights))
  ]
  return np.dot(means[0] - means[1], direction) ** power


_ONES = {name: np.ones((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
_REFERENCES = {
  'sliced': _reference,
  'MINIMA': {'sliced': Minimum(0.0, _ONES | {'key': jax.random.key(0)})},
  'SETTINGS': {'sliced': [{}, {'power': 4}]},
}
_GOOD = Case(sliced, SimpleNamespace(**_REFERENCES))


@pytest.mark.parametrize('check', contract.CHECKS, ids=lambda check: check.__name__)
def test_a_good_loss_passes(check: Callable[[Case], None]) -> None:
  check(_GOOD)


def _faulty(fault: Callable[..., jax.Array]) -> Case:
  """Returns the good loss with a fault, `fault(**arrays)`, behind its signature and docstring."""

  @functools.wraps(sliced)
  def loss(*args: Any, **keywords: Any) -> jax.Array:
    return fault(**inspect.signature(sliced).bind(*args, **keywords).arguments)

  return Case(loss, _GOOD.references)


def _half(**arrays: Any) -> jax.Array:
  return sliced(**arrays).astype(arrays['source'].dtype)


def _wrong_value(**arrays: Any) -> jax.Array:
  return 1.001 * sliced(**arrays)


def _wrong_gradient(**arrays: Any) -> jax.Array:
  return sliced(**arrays | {'target': jax.lax.stop_gradient(arrays['target'])})


def _too_low(**arrays: Any) -> jax.Array:
  return sliced(**arrays) - 1e-3


def _first_counts(**arrays: Any) -> jax.Array:
  return sliced(**arrays) + arrays['source'][0, 0]


def _no_gradient_at_zero_variance(**arrays: Any) -> jax.Array:
  return sliced(**arrays) + 0 * jnp.sum(jnp.std(arrays['source'], axis=0))


def _any_rank(source: jax.Array, target: jax.Array, **arrays: Any) -> jax.Array:
  return sliced(source.reshape(len(source), -1), target.reshape(len(target), -1), **arrays)


@pytest.mark.parametrize(
  ('fault', 'check', 'message'),
  [
    (_half, contract.check_values, 'inputs give bfloat16'),
    (_wrong_value, contract.check_values, 'Not equal to tolerance'),
    (_wrong_gradient, contract.check_gradients, 'target'),
    (_too_low, contract.check_minimum, 'Not equal to tolerance'),
    (_first_counts, contract.check_order, 'Not equal to tolerance'),
    (_no_gradient_at_zero_variance, contract.check_extremes, 'equal rows: gradient of source'),
    (_any_rank, contract.check_shapes, 'source of rank 3'),
  ],
)
def test_a_fault_is_caught(
  fault: Callable[..., jax.Array], check: Callable[[Case], None], message: str
) -> None:
  with pytest.raises(AssertionError, match=message):
    check(_faulty(fault))


def test_what_a_loss_holds_constant_is_held_in_slopes_too() -> None:
  def scaled(source: jax.Array) -> jax.Array:
    scale = jax.lax.stop_gradient(jnp.mean(source**2))
    return jnp.sum(source**2) / scale

  def reference(source: NDArray, *, scale: float | None = None) -> float:
    return (source**2).sum() / (scale or (source**2).mean())

  scaled.__doc__ = 'Kind: one sample.'
  hold = {'scaled': lambda source: {'scale': (source**2).mean()}}
  contract.check_gradients(Case(scaled, SimpleNamespace(scaled=reference, HELD=hold)))
  with pytest.raises(AssertionError, match='source'):
    contract.check_gradients(Case(scaled, SimpleNamespace(scaled=reference)))


def test_a_loss_that_looks_at_values_is_caught() -> None:
  with pytest.raises(jax.errors.ConcretizationTypeError):
    contract.check_traces(_faulty(lambda **arrays: sliced(**arrays) * bool(arrays['source'][0, 0])))


@pytest.mark.parametrize(
  ('part', 'instead', 'check', 'message'),
  [
    ('2001', 'once', contract.check_docstring, 'paper'),
    ('Kind: two samples.', 'Kind: distance.', contract.check_docstring, 'Kind'),
    ('Kind: two samples.', 'Kind: per example.', contract.check_values, r'means \(6,\)'),
    ('source: `[source examples, features]`.', 'source: Rows.', contract.check_docstring, 'source'),
    ('power: An even number.', '', contract.check_docstring, 'power'),
    ('Minimum: 0,', '', contract.check_minimum, 'Minimum'),
    ('Minimum: 0,', 'Minimum: 0.5,', contract.check_minimum, 'states 0.5'),
  ],
)
def test_a_docstring_that_says_less_or_other_is_caught(
  part: str, instead: str, check: Callable[[Case], None], message: str
) -> None:
  case = _faulty(sliced)
  assert part in case.doc
  case.loss.__doc__ = sliced.__doc__.replace(part, instead)
  with pytest.raises(AssertionError, match=message):
    check(case)


@pytest.mark.parametrize(
  ('missing', 'check', 'message'),
  [
    ('sliced', contract.check_values, 'no reference'),
    ('MINIMA', contract.check_minimum, 'no MINIMA'),
    ('SETTINGS', contract.check_values, 'no SETTINGS'),
  ],
)
def test_an_incomplete_reference_is_caught(
  missing: str, check: Callable[[Case], None], message: str
) -> None:
  rest = {name: value for name, value in _REFERENCES.items() if name != missing}
  with pytest.raises(AssertionError, match=message):
    check(Case(sliced, SimpleNamespace(**rest)))


def test_an_argument_that_nobody_can_draw_is_caught() -> None:
  def strange(mystery: jax.Array) -> jax.Array:
    return mystery

  with pytest.raises(AssertionError, match='mystery'):
    _ = Case(strange, SimpleNamespace(strange=strange)).arguments
