"""What every loss must satisfy, as checks of one loss. Each raises AssertionError.

`test_losses.py` runs them on all losses, and on bad ones that they have to catch.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from tests.contracts.case import BY_ROW, Arrays, Case, Loss, cast, double, is_float, widen
from tests.references import SIZES


def check_values(case: Case) -> None:
  """Values are the reference's; half precision is widened before anything is computed."""
  shape = (SIZES['batch'],) if case.kind in BY_ROW else ()
  for loss, reference, names in case.variants:
    for seed in range(3):
      arrays = case.draw(names, seed)
      value = double(loss, arrays)
      assert value.shape == shape, f'{case.name}: {case.kind} means {shape}, not {value.shape}'
      np.testing.assert_allclose(value, reference(**arrays), rtol=1e-9, atol=1e-12)
      for dtype in (jnp.float32, jnp.bfloat16):
        rounded = cast(arrays, dtype)
        value = loss(**rounded)
        assert value.dtype == jnp.float32, f'{case.name}: {dtype} inputs give {value.dtype}'
        np.testing.assert_allclose(value, reference(**widen(rounded)), rtol=1e-4, atol=1e-5)


def check_gradients(case: Case) -> None:
  """Gradients are the slopes of the reference, or zero where they are stopped by intention."""
  for loss, reference, names in case.variants:
    arrays = case.draw(names)
    reference = functools.partial(reference, **case.held(**reference.keywords, **arrays))
    scale = np.random.default_rng(1).normal(size=np.shape(reference(**arrays)))
    for name, gradient in _gradients(loss, arrays, scale).items():
      if name in case.stopped:
        assert all((leaf == 0).all() for leaf in gradient), f'{case.name}: {name} is not stopped'
      else:
        _check_slope(reference, arrays, name, scale, gradient)


def _gradients(loss: Loss, arrays: Arrays, scale: np.ndarray) -> dict[str, list[np.ndarray]]:
  """Returns the gradient to each argument that can have one, as the leaves of its tree."""
  with jax.enable_x64(True):
    arrays = cast(arrays, jnp.float64)
    moved = {name: x for name, x in arrays.items() if is_float(x)}
    total = lambda moved: jnp.sum(scale * loss(**arrays | moved))
    gradients = jax.jit(jax.grad(total))(moved)
    return {name: list(map(np.asarray, jax.tree.leaves(x))) for name, x in gradients.items()}


def _check_slope(
  reference: Callable[..., Any],
  arrays: Arrays,
  name: str,
  scale: np.ndarray,
  gradient: list[np.ndarray],
) -> None:
  """Compares a gradient with central differences of the reference along a random direction."""
  rng, width = np.random.default_rng(2), 1e-5
  leaves, tree = jax.tree.flatten(arrays[name])
  direction = [rng.normal(size=leaf.shape) for leaf in leaves]

  def value(way: float) -> float:
    moved = [leaf + way * width * d for leaf, d in zip(leaves, direction, strict=True)]
    return (scale * reference(**arrays | {name: jax.tree.unflatten(tree, moved)})).sum()

  slope = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
  expected = (value(1) - value(-1)) / (2 * width)
  np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7, err_msg=name)


def check_minimum(case: Case) -> None:
  """The stated minimum is reached by the reference's arguments, and never gone below."""
  value, arguments = case.minimum
  stated = re.search(r'^Minimum: (none|-?\d+(?:\.\d+)?)?', case.doc, re.MULTILINE)
  assert stated, f'{case.name}: no line "Minimum: ..."'
  if stated[1]:
    number = -np.inf if stated[1] == 'none' else float(stated[1])
    assert number == value, f'{case.name}: states {stated[1]}, its reference {value}'
  if np.isfinite(value):
    np.testing.assert_allclose(double(case.loss, arguments), value, atol=1e-6)
  loss, *_ = case.variants[0]
  for seed in range(20):
    lowest = double(loss, case.draw(case.required, seed)).min()
    assert lowest >= value - 1e-9, f'{case.name}: {lowest} is below its minimum {value}'


def check_order(case: Case) -> None:
  """A new order of the examples reorders the values, or leaves the one value as it is."""
  for loss, _, names in case.variants:
    arrays, rng = case.draw(names), np.random.default_rng(1)
    orders = {size: rng.permutation(size) for size in case.sizes.values()}

    def reorder(name: str, x: Any, orders: dict[int, np.ndarray] = orders) -> Any:
      rows = case.arguments[name].rows
      reordered = rows in ('batch', 'source', 'target')
      return jax.tree.map(lambda x: x[orders[case.sizes[rows]]], x) if reordered else x

    expected = double(loss, arrays)
    if case.kind in BY_ROW:
      expected = expected[orders[SIZES['batch']]]
    actual = double(loss, {name: reorder(name, x) for name, x in arrays.items()})
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


def check_extremes(case: Case) -> None:
  """Values and gradients are finite where a variance, a norm or a distance is 0 or huge."""
  for variant, (loss, _, names) in enumerate(case.variants):
    compiled = jax.jit(functools.partial(_value_and_gradients, loss))
    # Half precision is widened before anything is computed: one variant shows it.
    dtypes = (jnp.float32,) if variant else (jnp.float32, jnp.bfloat16)
    for what, arrays in _extremes(case, case.draw(names)):
      for dtype in dtypes:
        for part, x in compiled(cast(arrays, dtype)).items():
          finite = all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(x))
          assert finite, f'{case.name}: not finite for {what}: {part}, {dtype.__name__}'


def _value_and_gradients(loss: Loss, arrays: Arrays) -> Arrays:
  moved = {name: x for name, x in arrays.items() if is_float(x)}
  total = jax.value_and_grad(lambda moved: jnp.sum(loss(**arrays | moved)))
  value, gradients = total(moved)
  return {'value': value} | {f'gradient of {name}': x for name, x in gradients.items()}


def _extremes(case: Case, arrays: Arrays) -> Iterator[tuple[str, Arrays]]:
  def changed(change: Callable[[np.ndarray], np.ndarray]) -> Arrays:
    real = {name: x for name, x in arrays.items() if case.arguments[name].real}
    return arrays | jax.tree.map(change, real)

  twins = dict(arrays)
  for one, other in (('source', 'target'), ('student', 'teacher'), ('weak', 'strong')):
    for name in filter(lambda name: name.startswith(one), arrays):
      twin = name.replace(one, other, 1)
      if twin in arrays:
        twins[twin] = jax.tree.map(lambda x, y: np.resize(x, y.shape), arrays[name], arrays[twin])
  yield 'ordinary numbers', arrays
  yield 'equal rows', changed(lambda x: np.repeat(x[:1], len(x), axis=0))
  yield 'zeros', changed(np.zeros_like)
  yield 'huge numbers', changed(lambda x: 1e4 * x)
  yield 'equal samples', twins


def check_traces(case: Case) -> None:
  """A loss is traced once for its shapes, whatever the values."""
  for loss, _, names in case.variants:
    chex.clear_trace_counter()
    counted = jax.jit(chex.assert_max_traces(lambda arrays, loss=loss: loss(**arrays), n=1))
    for seed in range(2):
      counted(cast(case.draw(names, seed), jnp.float32))


def check_shapes(case: Case) -> None:
  """Wrong ranks, disagreeing sizes and float labels are refused when the loss is traced."""
  for loss, _, names in case.variants:
    for what, arrays in _wrong(case.draw(names)):
      message = ''
      try:
        jax.eval_shape(lambda arrays, loss=loss: loss(**arrays), cast(arrays, jnp.float32))
      except AssertionError as error:
        message = str(error)
      except (TypeError, ValueError, IndexError):
        pass
      assert '[Chex]' in message, f'{case.name}: no chex assertion refuses {what}'


def _wrong(arrays: Arrays) -> Iterator[tuple[str, Arrays]]:
  plain = {name: x for name, x in arrays.items() if isinstance(x, np.ndarray)}
  for name, x in plain.items():
    yield f'{name} of rank {x.ndim + 1}', arrays | {name: x[..., None]}
    if not is_float(x):
      yield f'{name} that are no integers', arrays | {name: x.astype(np.float32)}
    shared = {size for other in plain if other != name for size in plain[other].shape}
    for axis, size in enumerate(x.shape):
      if size in shared:
        longer = np.concatenate([x, x.take([0], axis)], axis)
        yield f'{name} of shape {longer.shape}', arrays | {name: longer}


def check_docstring(case: Case) -> None:
  """It says whose idea it is, of which kind, its minimum, and what each array's shape is."""
  lines = {
    'a paper and its year': r'\b(19|20)\d\d\b',
    f'Kind: {case.kind}.': r'^Kind: ',
    'Minimum: ...': r'^Minimum: \S',
    'Returns:': r'^Returns:',
  }
  for name in case.arguments:
    shaped = '' if name == 'key' else r'.*`\['
    lines[f'{name}: `[...]`, ...'] = rf'^  {name}: {shaped}'
  for name in {name for setting in case.settings for name in setting}:
    lines[f'{name}: ...'] = rf'^  {name}: \S'
  for what, pattern in lines.items():
    assert re.search(pattern, case.doc, re.MULTILINE), f'{case.name}: its docstring lacks "{what}"'


CHECKS = [
  check_docstring,
  check_shapes,
  check_values,
  check_gradients,
  check_minimum,
  check_order,
  check_extremes,
  check_traces,
]
