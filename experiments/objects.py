"""What the benchmarks of objects share: the settings of TLLib, and its published tables.

TLLib (thuml/Transfer-Learning-Library, examples/domain_adaptation/image_classification): SGD with
Nesterov's momentum, rate 0.01, weight decay 1e-3, a tenth of the rate in the backbone. Its numbers
are those of the best epoch by target accuracy: to be compared with the rule `oracle`, not `last`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.common import Experiment
from tlda.data import protocols

SETTINGS = {
  'optimizer': 'nesterov',
  'learning_rate': 0.01,
  'weight_decay': 0.001,
  'fine_tune.backbone_rate': 0.1,
}
SELECTIONS = ('last', 'source_accuracy', 'oracle')


def experiment(
  name: str,
  doc: str,
  pairs: Sequence[tuple[str, str]],
  percent: Mapping[str, Sequence[float]],
  **defaults: Any,
) -> Experiment:
  """Returns the experiment of a protocol with the same name.

  Args:
    name: Of both.
    doc: What `--help` begins with.
    pairs: Those of the published table, in the order of its columns; the first is the default.
    percent: Method to published target accuracies, in percent, one for each pair.
    **defaults: Flags that differ from `SETTINGS`.
  """
  published = {
    (name, *pair, method): {
      'value': round(value / 100, 4),
      'reference': 'TLLib, README of image classification',
      'note': 'best epoch by target accuracy there',
    }
    for method, values in percent.items()
    for pair, value in zip(pairs, values, strict=True)
  }
  source, target = pairs[0]
  own = {**protocols.get(name).fixed, **SETTINGS, 'source': source, 'target': target, **defaults}
  return Experiment(name=name, doc=doc, defaults=own, published=published)
