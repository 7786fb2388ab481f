"""Digits: MNIST to MNIST-M (Ganin et al., 2016), and MNIST to USPS and back.

  python -m experiments.digits --method=dann --source=mnist --target=mnist_m --seeds=3

Network, schedules and batch are those of Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 2016, section 5.2: 64 labelled source and 64 target images a step, learning rate
0.01 / (1 + 10 p)^0.75, momentum 0.9, mean-subtracted images. The number of steps is not given
there.

Published target accuracy, MNIST to MNIST-M (their Table 2):
  source only .5225, DANN .7666, trained on target .9596

Measured: experiments/results/digits.md; scripts/reproduce.py digits makes it again.
"""

from experiments.common import Experiment, main
from tlda.data import protocols

_TABLE_2 = {'source_only': 0.5225, 'dann': 0.7666, 'target_only': 0.9596}

EXPERIMENT = Experiment(
  name='digits',
  doc=__doc__,
  defaults=protocols.get('digits/dann2016').fixed,
  published={
    ('digits/dann2016', 'mnist', 'mnist_m', method): {
      'value': value,
      'reference': 'Ganin et al. 2016, Table 2',
      'note': 'last layer retrained as a linear SVM there',
    }
    for method, value in _TABLE_2.items()
  },
)

# The rows of the results table, each the flags of a run.
TABLE = (
  '--method=source_only --source=mnist --target=mnist_m --seeds=3',
  '--method=dann --source=mnist --target=mnist_m --seeds=3',
  '--method=target_only --source=mnist --target=mnist_m --seeds=1',
  '--method=source_only --source=mnist --target=usps --seeds=3 --steps=2000',
  '--method=dann --source=mnist --target=usps --seeds=3 --steps=2000',
  '--method=source_only --source=usps --target=mnist --seeds=3 --steps=2000',
  '--method=dann --source=usps --target=mnist --seeds=3 --steps=2000',
)

if __name__ == '__main__':
  main(EXPERIMENT)
