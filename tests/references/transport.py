"""float64 NumPy references of `tlda.losses.transport`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

# Strong enough, and with iterations enough, that nothing depends on how the plan was found.
_CONVERGED = {'regularization': 0.5, 'iterations': 300}
SETTINGS = {
  'sinkhorn_divergence': [_CONVERGED],
  'joint_distribution_transport': [
    _CONVERGED,
    {'feature_weight': 0.7, 'label_weight': 0.4, **_CONVERGED},
  ],
}

_SAME = {name: np.ones((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
_LABELS = {name: np.zeros(SIZES[name], int) for name in ('source', 'target')}
MINIMA = {
  'sinkhorn_divergence': Minimum(0.0, _SAME),
  'joint_distribution_transport': Minimum(
    0.0,
    _SAME | {'source_labels': _LABELS['source'], 'target_logits': 100 * one_hot(_LABELS['target'])},
  ),
}


def _costs(x: NDArray, y: NDArray) -> NDArray:
  return np.array([[((a - b) ** 2).sum() for b in y] for a in x])


def _plan(costs: NDArray, a: NDArray, b: NDArray, epsilon: float) -> NDArray:
  """Scales the rows and columns of exp(-C / epsilon), until both have their sums."""
  kernel = np.exp(-costs / epsilon)
  rows = np.ones_like(a)
  for _ in range(10_000):
    columns = b / (rows @ kernel)
    before, rows = rows, a / (kernel @ columns)
    if np.abs(rows / before - 1).max() < 1e-15:
      break
  return rows[:, None] * kernel * columns[None]


def _cost(costs: NDArray, a: NDArray, b: NDArray, epsilon: float) -> float:
  """Adds the entropy of the plan, relative to the product of its marginals."""
  plan = _plan(costs, a, b, epsilon)
  return (plan * costs).sum() + epsilon * (plan * np.log(plan / np.outer(a, b))).sum()


def _hold_scale(source: NDArray, target: NDArray, **_: Any) -> dict[str, Any]:
  return {'scale': _costs(source, target).mean()}


def sinkhorn_divergence(
  source: NDArray,
  target: NDArray,
  *,
  source_weights: NDArray | None = None,
  target_weights: NDArray | None = None,
  regularization: float = 0.05,
  iterations: int = 50,
  scale: float | None = None,
) -> float:
  """Takes the primal values of the three problems, each solved to the last digit."""
  del iterations
  epsilon = regularization * (scale or _costs(source, target).mean())
  a = np.ones(len(source)) if source_weights is None else source_weights
  b = np.ones(len(target)) if target_weights is None else target_weights
  a, b = a / a.sum(), b / b.sum()
  between = _cost(_costs(source, target), a, b, epsilon)
  within = (
    _cost(_costs(source, source), a, a, epsilon),
    _cost(_costs(target, target), b, b, epsilon),
  )
  return between - sum(within) / 2


def _joint_costs(
  source: NDArray,
  target: NDArray,
  source_labels: NDArray,
  target_logits: NDArray,
  feature_weight: float,
  label_weight: float,
) -> NDArray:
  costs = feature_weight * _costs(source, target)
  for column, logits in enumerate(target_logits):
    probabilities = np.exp(logits) / np.exp(logits).sum()
    costs[:, column] -= label_weight * np.log(probabilities[source_labels])
  return costs


def _uniform_plan(costs: NDArray, regularization: float) -> NDArray:
  a, b = (np.full(size, 1 / size) for size in costs.shape)
  return _plan(costs, a, b, regularization * costs.mean())


def _hold_plan(
  *,
  feature_weight: float = 1e-3,
  label_weight: float = 1e-4,
  regularization: float,
  iterations: int,
  **arrays: NDArray,
) -> dict[str, Any]:
  del iterations
  costs = _joint_costs(**arrays, feature_weight=feature_weight, label_weight=label_weight)
  return {'plan': _uniform_plan(costs, regularization)}


HELD = {'sinkhorn_divergence': _hold_scale, 'joint_distribution_transport': _hold_plan}


def joint_distribution_transport(
  source: NDArray,
  target: NDArray,
  source_labels: NDArray,
  target_logits: NDArray,
  *,
  feature_weight: float = 1e-3,
  label_weight: float = 1e-4,
  regularization: float = 0.05,
  iterations: int = 50,
  plan: NDArray | None = None,
) -> float:
  """Prices each pair by the plan."""
  del iterations
  costs = _joint_costs(source, target, source_labels, target_logits, feature_weight, label_weight)
  return ((_uniform_plan(costs, regularization) if plan is None else plan) * costs).sum()
