"""Several sources: Office-Caltech10 on the features of a pretrained network, each domain in turn.

  python scripts/reproduce.py several_sources
  python -m experiments.several_sources --method=mdan

Three domains are labelled, the fourth is the target: all of its images train without labels, and
test. Features, bottleneck and schedule are those of experiments.office_caltech. Every method of a
single source takes several too, pooled, in batches of equal size; the first four rows are such.

Measured: experiments/results/several_sources.md; scripts/reproduce.py several_sources makes it
again.
"""

from experiments import office_caltech, rows
from experiments.common import Experiment, main
from tlda.data import protocols

DOMAINS = office_caltech.DOMAINS
METHODS = (
  'source_only', 'dann', 'deep_coral', 'mcc', 'multi_domain_dann', 'mdan', 'm3sda',
)  # fmt: skip
PROTOCOL = protocols.get('office_caltech/lite0-128, three sources')

EXPERIMENT = Experiment(
  name='several_sources',
  doc=__doc__,
  defaults={
    **office_caltech.EXPERIMENT.defaults,
    'method': 'mdan',
    'source': PROTOCOL.pairs[-1][0],
    'target': PROTOCOL.pairs[-1][1],
  },
)

PREPARE = office_caltech.PREPARE
SELECTIONS = ('last', 'source_accuracy', 'oracle')
TABLE = rows.every(METHODS, PROTOCOL.pairs, seeds=5)

if __name__ == '__main__':
  main(EXPERIMENT)
