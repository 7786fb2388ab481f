"""Agreement on mixtures."""

import numpy as np

SHARE = 0.55  # Of the first of two examples: the authors' code.


def mixval(
  target_train_logits: np.ndarray,
  target_train_partner_logits: np.ndarray,
  target_train_mixed_logits: np.ndarray,
) -> float:
  """Returns how often a mixture of two target examples is predicted as the larger share of it.

  Hu, Liang, Liew, Xue, Bai, Wang, *Mixed samples as probes for unsupervised model selection in
  domain adaptation* (NeurIPS 2023): inputs are mixed, 0.55 of one and 0.45 of another, and the
  prediction is to be that of the first. The agreement of pairs of one predicted class (are
  neighbourhoods dense?) and of pairs of two (is there a margin?) counts half each. The paper
  averages the ranks that models have by the two, which needs all models at once; this is the mean
  of the two themselves.

  Args:
    target_train_logits: `[n, classes]`.
    target_train_partner_logits: `[n, classes]`, those of the example that each one is mixed with.
    target_train_mixed_logits: `[n, classes]`, those of the mixture.

  Returns:
    In [0, 1]. Of pairs of two classes, where all are predicted as one, the agreement is 0.
  """
  first, second, mixed = (
    np.asarray(x).argmax(axis=1)
    for x in (target_train_logits, target_train_partner_logits, target_train_mixed_logits)
  )
  agrees, same = mixed == first, first == second
  share = lambda rows: agrees[rows].mean() if rows.any() else 0.0
  return float((share(same) + share(~same)) / 2)


def partners(predicted: np.ndarray) -> np.ndarray:
  """Chooses whom each example is mixed with, by the predicted classes.

  Every other example gets the next one of its own class, and the rest one of another class, as far
  as there is any. The order of examples must be random.

  Args:
    predicted: int `[n]`.

  Returns:
    int `[n]`, places; never an example's own, if n is above 1.
  """
  count = len(predicted)
  order = np.argsort(predicted, kind='stable')
  place = np.argsort(order)
  _, classes, sizes = np.unique(predicted, return_inverse=True, return_counts=True)
  starts = np.cumsum(sizes) - sizes
  own, size = starts[classes], sizes[classes]
  next_of_class = order[own + (place - own + 1) % size]
  # In the order of classes, none is longer than the greatest: so far on begins another.
  other = order[(place + sizes.max()) % count]
  alike = np.arange(count) % 2 == 0
  takes_own = (predicted[other] == predicted) | (alike & (size > 1))
  return np.where(takes_own, next_of_class, other)
