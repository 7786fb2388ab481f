"""Several sources: Office-Caltech10 on the features of a pretrained network, each domain in turn.

  python scripts/reproduce.py several_sources
  python -m experiments.several_sources --method=mdan

Three domains are labelled, the fourth is the target: all of its images train without labels, and
test. Features, bottleneck and schedule are those of experiments.office_caltech. Every method of a
single source takes several too, pooled, in batches of equal size; the first four rows are such.

The table is to be measured: scripts/reproduce.py several_sources makes it.
"""

from experiments import office_caltech
from experiments.common import Experiment, main

DOMAINS = office_caltech.DOMAINS
METHODS = (
  'source_only', 'dann', 'deep_coral', 'mcc', 'multi_domain_dann', 'mdan', 'm3sda',
)  # fmt: skip
PROTOCOL = 'office_caltech/lite0-128, three sources'


def _features(domain: str) -> str:
  return f'npz:runs/features/{domain}.npz'


def _others(target: str) -> str:
  return ','.join(_features(domain) for domain in DOMAINS if domain != target)


EXPERIMENT = Experiment(
  name='several_sources',
  doc=__doc__,
  defaults={
    **office_caltech.EXPERIMENT.defaults,
    'method': 'mdan',
    'source': _others('webcam'),
    'target': _features('webcam'),
  },
  protocols={(_others(target), _features(target)): PROTOCOL for target in DOMAINS},
)

PREPARE = office_caltech.PREPARE
SELECTIONS = ('last', 'source_accuracy', 'oracle')
TABLE = tuple(
  f'--method={method} --source={_others(target)} --target={_features(target)} --seeds=5'
  for method in METHODS
  for target in DOMAINS
)

if __name__ == '__main__':
  main(EXPERIMENT)
