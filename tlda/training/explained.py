"""What a finished run says of itself: how far its probabilities can be trusted, where it looks."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tlda.evaluation import calibration
from tlda.evaluation.grad_cam import grad_cam, spatial_stages, usual_stage
from tlda.training.run import Run

# Target images with heat maps: at most so many that were told rightly, and so many wrongly.
SHOWN = 6

Logits = Mapping[str, np.ndarray]


def calibrate(logits: Logits, labels: Logits) -> dict[str, Any]:
  """Measures calibration before and after temperature scaling.

  Temperatures are those of the source's examples: a target's labels are nobody's to fit on. For
  the source itself, `after` is measured on what was fitted, and so a little too good.

  Args:
    logits: Of 'source' and 'target', `[seeds, n, classes]`.
    labels: Of both, int `[n]`.

  Returns:
    `temperature`, a number a seed; and for `source_test` and `target_test` the number of
    `examples`, and under `before` and `after` the `error` (expected calibration error) and the
    `negative_log_likelihood`, a number a seed, and the `reliability` of all seeds together.
  """
  found = [calibration.temperature(own, labels['source']) for own in logits['source']]
  measured = {
    f'{name}_test': {
      'examples': len(labels[name]),
      'before': _measure(logits[name], labels[name], np.ones(len(found))),
      'after': _measure(logits[name], labels[name], np.array(found)),
    }
    for name in ('source', 'target')
  }
  return {'temperature': found, **measured}


def _measure(logits: np.ndarray, labels: np.ndarray, temperatures: np.ndarray) -> dict[str, Any]:
  """Returns errors by seed, and the table of all of them together."""
  logits = logits / temperatures[:, None, None]
  given = [calibration.scaled(own) for own in logits]
  table = calibration.reliability(np.concatenate(given), np.tile(labels, len(given)))
  return {
    'error': [calibration.expected_calibration_error(own, labels) for own in given],
    'negative_log_likelihood': [calibration.negative_log_likelihood(x, labels) for x in logits],
    'reliability': {name: column.tolist() for name, column in table._asdict().items()},
  }


def heat_maps(
  run: Run, variables: Mapping[str, Any], images: np.ndarray, labels: np.ndarray, logits: np.ndarray
) -> dict[str, np.ndarray]:
  """Returns where the network sees, in some images of the target, the class that it decides for.

  Args:
    run: The run.
    variables: Of one seed.
    images: `[n, height, width, channels]`, as they are stored.
    labels: int `[n]`.
    logits: `[n, classes]`, what the network says of them.

  Returns:
    `target_shown` int `[k]`, which of the images, those told rightly first; `target_predicted` int
    `[k]`; `target_maps` uint8 `[k, rows, columns]`. Nothing, where no stage has places.
  """
  predicted = logits.argmax(-1)
  right, wrong = (np.flatnonzero((predicted == labels) == told) for told in (True, False))
  shown = np.concatenate([right[:SHOWN], wrong[:SHOWN]])
  domain = run.method.spec.target_domain
  variables = jax.tree.map(jnp.asarray, variables)

  def network(inputs: jax.Array) -> tuple[jax.Array, Mapping[str, Any]]:
    outputs, sown = run.method.apply(variables, inputs, domain, mutable=['intermediates'])
    return outputs.logits, sown.get('intermediates', {})

  inputs = run.preprocessing(jnp.asarray(images[shown]))
  if usual_stage(spatial_stages(network, inputs)) is None:
    return {}
  maps = grad_cam(network, inputs, predicted[shown])
  return {
    'target_shown': shown,
    'target_predicted': predicted[shown],
    'target_maps': np.round(255 * maps).astype(np.uint8),
  }
