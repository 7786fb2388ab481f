"""How far apart a finished run's domains are, and what its target error is made of.

Labels of target test examples only explain here what is over: nothing is chosen by these numbers.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tlda.evaluation import divergences

Samples = Mapping[str, np.ndarray]


def distances(samples: Samples) -> dict[str, float]:
  """Returns the proxy A-distance between the domains' features, `before` and `after` training.

  Args:
    samples: As `result.collect` returns them: features of both domains, `[n, d]`.
  """
  return _both(divergences.proxy_a_distance, samples)


def discrepancies(samples: Samples) -> dict[str, dict[str, float]]:
  """Returns the maximum mean discrepancy, `squared`, and its `p_value`, at both moments."""
  found = lambda *domains: divergences.maximum_mean_discrepancy(*domains)._asdict()
  return _both(found, samples)


def transports(samples: Samples) -> dict[str, float]:
  """Returns the sliced Wasserstein distance at both moments."""
  return _both(divergences.sliced_wasserstein, samples)


def joint_errors(samples: Samples) -> dict[str, float]:
  """Returns the estimated error of the ideal joint classifier of features at both moments."""
  labels = samples['source_labels'], samples['target_labels']
  found = lambda source, target: divergences.joint_error(source, labels[0], target, labels[1])
  return _both(found, samples)


def bound(
  logits: Samples, labels: Samples, distance: Mapping[str, float], joint: Mapping[str, float]
) -> dict[str, float]:
  """Returns the terms of the bound of the first seed's target error, after training.

  Args:
    logits: Of examples of 'source' and 'target', `[seeds, n, classes]`.
    labels: Of both, int `[n]`.
    distance: As `distances` returns it.
    joint: As `joint_errors` returns it.
  """
  source, target = (
    float(np.mean(logits[name][0].argmax(-1) != labels[name])) for name in ('source', 'target')
  )
  return divergences.error_bound(source, distance['after'], joint['after'], target)._asdict()


def _both(measure: Callable[..., Any], samples: Samples) -> dict[str, Any]:
  """Returns what is measured between the features of both domains, before and after."""
  domains = lambda moment: (samples[f'features_{moment}_{name}'] for name in ('source', 'target'))
  with threadpool_limits(1):  # Threads of small products wait for each other, not for work.
    return {moment: measure(*domains(moment)) for moment in ('before', 'after')}
