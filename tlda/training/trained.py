"""A finished run's network, out of the arrays of its checkpoint."""

import jax

from tlda.methods import Method
from tlda.methods.initialization import prediction_variables
from tlda.methods.method import Variables
from tlda.training.checkpoint import Arrays, flatten, unflatten


def predicting(arrays: Arrays, method: Method) -> Variables:
  """Returns the variables that a method predicts with.

  Args:
    arrays: Of a checkpoint, with a leading dimension of seeds.
    method: The method that was trained.

  Returns:
    'params' and the other collections, with the leading dimension.

  Raises:
    UserError: The arrays are those of another network.
  """
  count = len(arrays['seed'])
  of_seeds = lambda x: jax.ShapeDtypeStruct((count, *x.shape), x.dtype)
  form = jax.tree.map(of_seeds, jax.eval_shape(lambda: prediction_variables(method)))
  named = {'params': form.pop('params'), 'states': form}
  wanted = flatten_names(named)
  found = unflatten({name: arrays[name] for name in wanted if name in arrays}, named)
  return {'params': found['params'], **found['states']}


def flatten_names(tree: object) -> list[str]:
  """Returns the names that `checkpoint.flatten` gives the leaves of a tree."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
  return [jax.tree_util.keystr(path, simple=True, separator='.') for path, _ in leaves]


def teaching(variables: Variables, seeds: int) -> Arrays:
  """Returns a teacher's variables as a run of some seeds is given them.

  A teacher of one seed teaches all; of several, each teaches the one in its place.
  """
  arrays = flatten({'states': {'teacher': variables}})
  return {name: x.repeat(seeds, axis=0) if len(x) == 1 else x for name, x in arrays.items()}
