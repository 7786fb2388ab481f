"""CAN: clusters of the target, contrasted with the classes of the source (Kang et al., 2019)."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import DomainPass, Method, States, Terms, Variables
from tlda.ranges import LogUniform

# Where k-means ends: passes, and the mean cosine distance that its centres move.
PASSES, STILL = 100, 0.005


class CAN(Method):
  """Brings each class near itself in the other domain, and away from other classes.

  Kang, Jiang, Yang, Hauptmann: *Contrastive Adaptation Network for Unsupervised Domain Adaptation*,
  CVPR 2019. The target's labels are those of spherical k-means, begun at the class centres of the
  source, and made anew `clusterings` times. Examples farther than `radius` from their
  centre, and classes with fewer than `members` examples left, count for nothing. With the
  contrastive domain discrepancy CDD of `losses`,

    L_task(source) + weight (CDD(features) + CDD(class probabilities)).

  Departs from the authors' code: in place of class-aware sampling, the classes that both halves of
  a batch have are contrasted; the class centres of the source are those of its features since the
  clustering before, so that the first clustering, at step 0, labels nothing; widths of kernels are
  those of the batch. Batch normalisation is per domain in the paper: --normalization=per_domain,
  with a backbone that has any.

  Attributes:
    weight: The weight of the discrepancy (the paper's 0.3).
    clusterings: How often the target is clustered (in the authors' code up to 50 times, of a
      pretrained network; one that is not must have learned the source before the first).
    radius: The largest distance (1 - cosine) / 2 of an example to its centre (the paper's 0.05).
    members: The fewest examples of a class (the paper's 3).
  """

  weight: Annotated[float, LogUniform(0.03, 3.0)] = 0.3
  clusterings: int = 10
  radius: float = 0.05
  members: int = 3

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, no clustering, and clusters without examples."""
    del batch_size
    needs.classes(self)
    needs.at_least(self, 1, 'clusterings', 'members')
    needs.above(self, 0, 'radius')

  def initial_states(self, variables: Variables) -> States:
    """Returns a target without labels, and a source of which nothing was seen."""
    del variables
    labels = jnp.full(self.spec.target.examples, -1, jnp.int32)
    centres = jnp.zeros((self.spec.classes, self.feature_size()))
    return {'clusters': {'labels': labels, 'source_centres': centres}}

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the clusterings of the target."""
    return (DomainPass('cluster', times=self.clusterings),)

  def cluster(self, variables: Any, outputs: Any) -> States:
    """Returns labels for the whole target, -1 for none, and forgets what the source was."""
    centres = np.asarray(variables['clusters']['source_centres'], np.float64)
    labels, distances = spherical_k_means(np.asarray(outputs.features, np.float64), centres)
    labels = np.where(distances < self.radius, labels, -1)
    counts = np.array([(labels == c).sum() for c in range(self.spec.classes)])
    few = np.flatnonzero(counts < self.members)
    labels = np.where(np.isin(labels, few), -1, labels).astype(np.int32)
    return {'clusters': {'labels': labels, 'source_centres': np.zeros(centres.shape, np.float32)}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source, and the discrepancy of both domains' classes."""
    source, target = self.outputs(batch)
    source_labels = axis.gather(batch.source.flat().labels)
    self.remember(axis.gather(source.features), source_labels)
    target_labels = axis.gather(self.get_variable('clusters', 'labels')[batch.target.index])
    contrast = lambda source, target: losses.contrastive_domain_discrepancy(
      axis.gather(source),
      axis.gather(target),
      source_labels,
      target_labels,
      classes=self.spec.classes,
    )
    of_features = contrast(source.features, target.features)
    of_classes = contrast(jax.nn.softmax(source.logits), jax.nn.softmax(target.logits))
    return {
      'task': self.task_loss(source, batch.source),
      'features': self.weight * of_features,
      'classes': self.weight * of_classes,
      'monitor/labelled': (target_labels >= 0).mean(),
    }

  def remember(self, features: jax.Array, labels: jax.Array) -> None:
    """Adds normalised features of the source to the centres of their classes."""
    features = jax.lax.stop_gradient(features)
    norms = jnp.linalg.norm(features, axis=1, keepdims=True)
    members = jax.nn.one_hot(labels, self.spec.classes, axis=0)
    centres = self.get_variable('clusters', 'source_centres')
    directions = features / jnp.maximum(norms, 1e-12)
    centres = centres + jnp.matmul(members, directions, precision='highest')
    self.put_variable('clusters', 'source_centres', centres)


def spherical_k_means(features: np.ndarray, begin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Clusters the directions of features.

  Args:
    features: `[examples, features]`.
    begin: `[clusters, features]`, where the centres begin; one at 0 has no examples.

  Returns:
    Clusters `[examples]`, and distances `[examples]` to their centres, (1 - cosine) / 2; infinite
    where all centres are at 0.
  """
  unit = lambda x: x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
  features, centres, begin = unit(features), unit(begin), unit(begin)
  known = begin.any(axis=1)

  def assigned(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances = np.where(known, (1 - features @ centres.T) / 2, np.inf)
    return distances.argmin(axis=1), distances.min(axis=1)

  for _ in range(PASSES if known.any() else 0):
    labels, _ = assigned(centres)
    sums = np.eye(len(begin))[labels].T @ features
    moved = np.where(sums.any(axis=1, keepdims=True), unit(sums), begin)
    cosines = (moved * centres).sum(axis=1)[known]
    centres = moved
    if np.mean((1 - cosines) / 2) < STILL:
      break
  return assigned(centres)
