"""SHOT: source hypothesis transfer with pseudo-labels by centroids (Liang et al., 2020)."""

from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import DomainPass, States, Terms, Variables
from tlda.methods.source_free.shot_im import SHOTIM
from tlda.ranges import LogUniform


class SHOT(SHOTIM):
  """Information maximisation, and labels that the nearest centroid of the target's features gives.

  Liang, Hu, Feng: *Do We Really Need to Access the Source Data? Source Hypothesis Transfer for
  Unsupervised Domain Adaptation*, ICML 2020, eq. 4 to 7. With the head frozen,

    (mean entropy - entropy of the mean) + weight mean_x cross_entropy(f(x), y(x))

  The labels y are made `labellings` times, of the whole target: centroids c0 are the means of
  features weighted by the probabilities of a class, y0 the nearest of them by the cosine;
  centroids c1 are the means of the features of each y0, and y the nearest of them.

  Departs from the authors' code: no constant 1 is appended to the features before they are
  normalised.

  Attributes:
    weight: Of the cross-entropy (the paper's beta, 0.3; its code takes 0.1 on digits).
    labellings: How often the labels are made (in the authors' code 15 times; on digits before each
      of 30 epochs).
  """

  weight: Annotated[float, LogUniform(0.03, 3.0)] = 0.3
  labellings: int = 15

  def check(self, batch_size: int) -> None:
    """Refuses what SHOT-IM does, a negative weight, and a target without labels."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight')
    needs.at_least(self, 1, 'labellings')

  def initial_states(self, variables: Variables) -> States:
    """Returns the place of the labels; the pass before the first step makes them."""
    del variables
    return {'pseudo': {'labels': jnp.zeros(self.spec.target.examples, jnp.int32)}}

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the passes that label the target."""
    return (DomainPass('label', times=self.labellings),)

  def label(self, variables: Any, outputs: Any) -> States:
    """Returns labels for the whole target."""
    del variables
    labels = nearest_centroids(np.asarray(outputs.features), np.asarray(outputs.logits))
    return {'pseudo': {'labels': labels}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns minus the information, and the cross-entropy of the pseudo-labels."""
    (target,) = self.outputs(batch)
    labels = self.get_variable('pseudo', 'labels')[batch.target.index]
    return {
      'information': losses.information_maximization(axis.gather(target.logits)),
      'pseudo_labels': self.weight * losses.cross_entropy(target.logits, labels).mean(),
    }


def nearest_centroids(features: np.ndarray, logits: np.ndarray) -> np.ndarray:
  """Labels examples by the class centroids of their own features (eq. 5 and 6).

  Args:
    features: `[examples, features]`.
    logits: `[examples, classes]`.

  Returns:
    int32 `[examples]`. A class that is nobody's after the first round has no centroid, and no
    example in the second.
  """
  features = _directions(features.astype(np.float64))
  shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
  shares = shifted / shifted.sum(axis=1, keepdims=True)
  for _ in range(2):
    # The direction of a mean is that of the sum.
    likeness = features @ _directions(shares.T @ features).T
    likeness[:, ~shares.any(axis=0)] = -np.inf
    labels = likeness.argmax(axis=1)
    shares = np.eye(logits.shape[1])[labels]
  return labels.astype(np.int32)


def _directions(rows: np.ndarray) -> np.ndarray:
  return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
