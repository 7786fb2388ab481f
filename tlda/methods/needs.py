"""What a method asks of a problem and of its fields, said to the user before anything is compiled.

Each raises `UserError`, in one sentence, where it is not so; a method's `check` calls them.
"""

import jax

from tlda.errors import UserError
from tlda.methods.method import Method


def classes(method: Method, fewest: int = 2) -> None:
  """Refuses a problem with fewer classes: of one alone, all predictions are the same."""
  if method.spec.classes < fewest:
    raise UserError(
      f'{type(method).__name__} needs {fewest} classes or more, not {method.spec.classes}'
    )


def examples(method: Method, batch_size: int, fewest: int = 2) -> None:
  """Refuses a batch with fewer examples: one alone says nothing of a distribution."""
  if batch_size < fewest:
    raise UserError(
      f'{type(method).__name__} needs {fewest} examples of each domain in a batch or more, '
      f'not {batch_size}'
    )


def sources(method: Method, fewest: int = 2) -> None:
  """Refuses fewer sources: a method that compares them has nothing to compare."""
  if len(method.spec.sources) < fewest:
    names = ','.join(source.name for source in method.spec.sources)
    raise UserError(
      f'{type(method).__name__} compares sources, {fewest} or more: --source={names} is '
      f'{len(method.spec.sources)}'
    )


def amounts(method: Method) -> None:
  """Refuses tokens of text: between one and another there is nothing."""
  if method.spec.is_text:
    raise UserError(f'{type(method).__name__} moves or mixes inputs: tokens of text cannot be')


def batch_normalization(method: Method) -> None:
  """Refuses a network without batch normalisation: there are no statistics to adapt."""
  inputs = method.spec.blank()
  if 'batch_stats' not in jax.eval_shape(method.extractor.init, jax.random.key(0), inputs):
    raise UserError(
      f'{type(method).__name__} adapts batch normalisation, and this network has none: '
      'take another --backbone, such as lenet_bn'
    )


def square_images(method: Method) -> None:
  """Refuses vectors, texts and images that would not fit when turned by 90 degrees."""
  shape = method.spec.input_shape
  if len(shape) != 3 or shape[0] != shape[1]:
    given = 'text' if method.spec.is_text else 'x'.join(map(str, shape))
    raise UserError(f'{type(method).__name__} turns images: they must be square, not {given}')


def at_least(method: Method, bound: float, *fields: str) -> None:
  """Refuses fields below a bound."""
  for field in fields:
    if not getattr(method, field) >= bound:
      raise UserError(f'{field} must be {bound} or above, not {getattr(method, field)}')


def above(method: Method, bound: float, *fields: str) -> None:
  """Refuses fields at a bound or below it."""
  for field in fields:
    if not getattr(method, field) > bound:
      raise UserError(f'{field} must be above {bound}, not {getattr(method, field)}')


def shares(method: Method, *fields: str) -> None:
  """Refuses fields that are no shares of a whole."""
  for field in fields:
    if not 0 <= getattr(method, field) <= 1:
      raise UserError(f'{field} must be between 0 and 1, not {getattr(method, field)}')
