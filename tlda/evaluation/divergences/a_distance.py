"""The proxy A-distance."""

import numpy as np
from jax.typing import ArrayLike
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

# Of each domain: two halves, and two halves of one of them.
FEWEST = 4
_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def proxy_a_distance(
  source_features: ArrayLike, target_features: ArrayLike, seed: int = 0
) -> float:
  """Measures how well a linear classifier tells two domains apart.

  The proxy A-distance of Ben-David et al., *Analysis of representations for domain adaptation*
  (2007), and *A theory of learning from different domains* (2010): `2 (1 - 2 error)`. The
  classifier is a linear support vector machine on standardised features, trained on half of each
  domain; its strength C is chosen within that half. The error is that on the other half, the mean
  of the two domains' errors, so that domains of unequal size are no farther apart for it.

  Args:
    source_features: `[n, d]`, finite; at least 4 rows.
    target_features: `[m, d]`, finite; at least 4 rows.
    seed: Of the split into halves.

  Returns:
    A number in [0, 2]: 2 where the domains are told apart without error, 0 where the classifier is
    no better than chance. Below 0, where it does worse than chance by chance alone, the distance is
    clipped.

  Raises:
    ValueError: A domain has fewer than 4 examples, or features are not finite or do not match.
  """
  random = np.random.default_rng(seed)
  domains = [np.asarray(x, np.float64) for x in (source_features, target_features)]
  if min(len(domain) for domain in domains) < FEWEST:
    raise ValueError(f'the proxy A-distance needs at least {FEWEST} examples of each domain')
  domains = [domain[random.permutation(len(domain))] for domain in domains]
  train, test = _halves(domains)
  fit, validation = _halves(train)
  strength = min(_STRENGTHS, key=lambda c: _error(c, fit, validation))
  return float(np.clip(2 * (1 - 2 * _error(strength, train, test)), 0, 2))


def _halves(domains: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
  """Cuts each domain in two."""
  return [x[: len(x) // 2] for x in domains], [x[len(x) // 2 :] for x in domains]


def _error(strength: float, train: list[np.ndarray], test: list[np.ndarray]) -> float:
  """Returns the mean of both domains' errors on `test` of a machine trained on `train`."""
  scaler = StandardScaler().fit(np.concatenate(train))
  # The primal problem: its solver converges for any C and draws no random numbers.
  machine = LinearSVC(C=strength, dual=False, class_weight='balanced')
  machine.fit(scaler.transform(np.concatenate(train)), np.repeat([0, 1], [len(x) for x in train]))
  predicted = [machine.predict(scaler.transform(x)) for x in test]
  return float(np.mean([np.mean(p != domain) for domain, p in enumerate(predicted)]))
