"""Digits: MNIST to MNIST-M (Ganin et al., 2016), MNIST to USPS and back, SVHN to MNIST; signs.

  python -m experiments.digits --method=dann --source=mnist --target=mnist_m --seeds=3
  python -m experiments.digits --protocol=digits/svhn --schedule=constant
  python -m experiments.digits --protocol=signs/dann2016

Network, schedules and batch are those of Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 2016, section 5.2: 64 labelled source and 64 target images a step, learning rate
0.01 / (1 + 10 p)^0.75, momentum 0.9, mean-subtracted images. The number of steps is not given
there.

Published target accuracy (their Table 2):         source only   DANN    trained on target
  MNIST to MNIST-M                                   .5225       .7666   .9596
  SVHN to MNIST (at a constant rate)                 .5490       .7385   .9942
  synthetic signs to GTSRB                           .7900       .8865   .9980

Measured: experiments/results/digits.md; scripts/reproduce.py digits makes it again.
"""

from experiments.common import Experiment, main
from tlda.data import protocols

_METHODS = ('source_only', 'dann', 'target_only')
_TABLE_2 = {
  'digits/dann2016': (0.5225, 0.7666, 0.9596),
  'digits/svhn': (0.5490, 0.7385, 0.9942),
  'signs/dann2016': (0.7900, 0.8865, 0.9980),
}

EXPERIMENT = Experiment(
  name='digits',
  doc=__doc__,
  defaults=protocols.get('digits/dann2016').fixed,
  published={
    (name, *protocols.get(name).pairs[0], method): {
      'value': value,
      'reference': 'Ganin et al. 2016, Table 2',
      'note': 'last layer retrained as a linear SVM there',
    }
    for name, values in _TABLE_2.items()
    for method, value in zip(_METHODS, values, strict=True)
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
