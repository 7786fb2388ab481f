"""Scores of a target with classes that the source lacks, all of them one class 'unknown'."""

import numpy as np


def open_set_scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
  """Returns the scores of open-set and universal adaptation.

  Every class counts the same, however many examples it has; one without examples does not count.

  Args:
    confusion: `[..., classes, classes]` counts, true classes by predicted ones; the last class is
      'unknown'.

  Returns:
    Of shape `[...]`, in [0, 1]: 'os', the mean accuracy over all classes (Busto and Gall, 2017,
    *Open Set Domain Adaptation*); 'os_star', that over the known ones; 'unknown', that of the
    unknown; 'h_score', the harmonic mean of the last two (Fu et al., 2020, *Learning to Detect Open
    Classes for Universal Domain Adaptation*). Without unknown examples the last two are NaN.
  """
  counts = np.asarray(confusion, np.float64)
  sizes = counts.sum(axis=-1)
  hits = np.diagonal(counts, axis1=-2, axis2=-1)
  of_class = np.divide(hits, sizes, out=np.full_like(hits, np.nan), where=sizes > 0)
  known, unknown = np.nanmean(of_class[..., :-1], axis=-1), of_class[..., -1]
  total = known + unknown
  harmonic = np.divide(2 * known * unknown, total, out=np.zeros_like(total), where=total != 0)
  return {
    'os': np.nanmean(of_class, axis=-1),
    'os_star': known,
    'unknown': unknown,
    'h_score': harmonic,
  }
