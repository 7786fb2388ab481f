"""How much more an example of the source is one of the target."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from tlda.evaluation.validators._arrays import narrowed, shuffled

_STRENGTHS = (1e-4, 1e-2, 1.0)
# One in so many rows is held out to choose the strength with.
_HELD_OUT = 5
# Steps of the solver: the strength that is chosen hardly ever needs more.
_ITERATIONS = 50
# Log-odds beyond these are not believed: of n examples none can tell one in more than n.
_LIMIT = 10.0


def density_ratio(
  source_train_features: np.ndarray,
  source_test_features: np.ndarray,
  target_train_features: np.ndarray,
) -> np.ndarray:
  """Estimates target density / source density at held-out examples of the source, in features.

  As in You, Wang, Long, Jordan (ICML 2019): a classifier tells the domains apart on
  training examples, and its odds, times the ratio of the numbers of examples, are the weights. The
  authors' code takes a small network; here it is logistic regression on standardised features (at
  most 128 random projections of them), whose strength is chosen by its log-likelihood on a fifth of
  the examples.

  Args:
    source_train_features: `[n, d]`.
    source_test_features: `[m, d]`.
    target_train_features: `[k, d]`.

  Returns:
    Weights `[m]`, about 1 in the mean.
  """
  domains = [narrowed(shuffled(x)) for x in (source_train_features, target_train_features)]
  train = [np.delete(x, np.s_[::_HELD_OUT], axis=0) for x in domains]
  held_out = [x[::_HELD_OUT] for x in domains]
  scaler = StandardScaler().fit(np.concatenate(train))
  labelled = lambda parts: (
    scaler.transform(np.concatenate(parts)),
    np.repeat([0, 1], [len(part) for part in parts]),
  )
  tried = [_fitted(strength, *labelled(train)) for strength in _STRENGTHS]
  rows, domain = labelled(held_out)
  best = min(tried, key=lambda machine: log_loss(domain, machine.predict_proba(rows)[:, 1]))
  odds = best.decision_function(scaler.transform(narrowed(source_test_features)))
  return np.exp(np.clip(odds, -_LIMIT, _LIMIT)) * len(train[0]) / len(train[1])


def _fitted(strength: float, rows: np.ndarray, domain: np.ndarray) -> LogisticRegression:
  with warnings.catch_warnings():
    warnings.simplefilter('ignore', ConvergenceWarning)  # Stopping early is a prior as well.
    return LogisticRegression(C=strength, max_iter=_ITERATIONS).fit(rows, domain)
