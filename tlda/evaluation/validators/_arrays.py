"""What several validators compute of arrays, in float64."""

import functools

import numpy as np

# Wider features are projected before a classifier learns from them, which takes seconds otherwise.
_WIDTH = 128


def log_softmax(logits: np.ndarray) -> np.ndarray:
  """Returns the log probabilities `[n, classes]` of logits."""
  shifted = np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits: np.ndarray) -> np.ndarray:
  """Returns the probabilities `[n, classes]` of logits."""
  return np.exp(log_softmax(logits))


def entropies(probabilities: np.ndarray) -> np.ndarray:
  """Returns the entropy of each row `[n]`, in nats; nothing is what probability 0 adds to it."""
  logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
  return -(probabilities * logs).sum(axis=-1)


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Returns minus the log probability of each label, `[n]`, in nats."""
  return -log_softmax(logits)[np.arange(len(labels)), labels]


def narrowed(features: np.ndarray) -> np.ndarray:
  """Returns `[n, d]` features, projected at random to 128 dimensions where they have more.

  Distances stay the same to about a tenth: Johnson, Lindenstrauss, *Extensions of Lipschitz
  mappings into a Hilbert space* (1984).
  """
  features = np.asarray(features, np.float64)
  return features @ _projection(features.shape[1]) if features.shape[1] > _WIDTH else features


@functools.lru_cache(maxsize=4)
def _projection(width: int) -> np.ndarray:
  return np.random.default_rng(2).normal(size=(width, _WIDTH)) / np.sqrt(_WIDTH)


def shuffled(features: np.ndarray) -> np.ndarray:
  """Returns rows in a random order that depends on the rows alone, and not on how they came.

  So what is drawn of them, a half to train on, is the same however they came.
  """
  features = np.asarray(features, np.float64)
  direction = np.random.default_rng(0).normal(size=features.shape[1])
  rows = features[np.argsort(features @ direction, kind='stable')]
  return rows[np.random.default_rng(1).permutation(len(rows))]
