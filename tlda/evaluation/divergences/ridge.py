"""Ridge regression that chooses its own strength."""

import numpy as np

# Of the penalty, in mean squared lengths of a row.
_STRENGTHS = np.logspace(-3, 3, 7)


def ridge(gram: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Fits outputs by ridge regression, of the strength that best predicts a row by the others.

  In its dual form, so that many features cost little; leaving each row out needs no further fit
  (Allen, *The relationship between variable selection and data augmentation and a method for
  prediction*, 1974).

  Args:
    gram: `[n, n]` products of rows whose mean is 0.
    outputs: `[n, classes]`.

  Returns:
    The weight of each row `[n, classes]`, and what is added `[classes]`: the prediction for x is
    the products of x with the rows, times the weights, plus the latter.
  """
  offset, (values, vectors) = outputs.mean(axis=0), np.linalg.eigh(gram)
  turned, best = vectors.T @ (outputs - offset), (np.inf, outputs)
  for strength in _STRENGTHS * max(np.trace(gram) / len(gram), 1e-12):
    inverse = 1 / (values.clip(0) + strength)
    weights = vectors @ (inverse[:, None] * turned)
    # What a row gets of the others: its residual, over the share of it that is not its own doing.
    own = strength * (vectors**2 @ inverse) - 1 / len(gram)
    error = np.mean((strength * weights / own[:, None]) ** 2)
    best = min(best, (error, weights), key=lambda pair: pair[0])
  return best[1], offset
