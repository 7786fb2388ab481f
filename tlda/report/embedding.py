"""Features of both domains in one plane."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

_COMPONENTS = 50
# Of 600 points 1,000 lower the divergence by one or two hundredths more, and take twice as long.
_ITERATIONS = 500


def embed(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Embeds features by t-SNE (van der Maaten and Hinton, 2008), the same way every time.

  Both domains are embedded together, since places in two embeddings cannot be compared. As the
  authors do, features with more than 50 dimensions are first reduced to 50 principal components.

  Args:
    source: `[n, d]` float, finite.
    target: `[m, d]` float, finite.

  Returns:
    `[n, 2]` and `[m, 2]`, in the unit square, with the same scale along both axes.
  """
  features = np.concatenate([source, target]).astype(np.float64)
  if min(features.shape) > _COMPONENTS:
    features = PCA(_COMPONENTS, random_state=0).fit_transform(features)
  # Equal features have no principal axis to start from.
  start = 'pca' if np.ptp(features, axis=0).any() and features.shape[1] > 1 else 'random'
  perplexity = min(30.0, (len(features) - 1) / 3)
  # One thread: threads that wait for a busy core made it ten times slower, and sum in any order.
  with threadpool_limits(1):
    embedding = TSNE(perplexity=perplexity, init=start, random_state=0, max_iter=_ITERATIONS)
    points = embedding.fit_transform(features)
  points -= (points.max(axis=0) + points.min(axis=0)) / 2
  points = 0.5 + 0.5 * points / max(np.abs(points).max(), np.finfo(np.float32).tiny)
  return points[: len(source)], points[len(source) :]
