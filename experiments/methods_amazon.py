"""Every method for feature vectors on the twelve pairs of Amazon reviews (Ganin et al., 2016).

  python -m experiments.methods_amazon --method=dann --source=amazon/books --target=amazon/dvd

Data, splits and network (100 sigmoid units) of Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 2016, section 5.1: 2,000 labelled source and 2,000 unlabelled target reviews. They
chose hyper-parameters for each pair by reverse validation and stopped early, as experiments.amazon
does; here all methods share one schedule (but ADDA, DIRT-T and AFN, see below), and all pairs and
seeds of a method are one program. The learning rate is that of experiments.amazon.

Measured: experiments/results/methods_amazon.md; scripts/reproduce.py methods_amazon makes it again.
"""

from collections.abc import Sequence
from typing import Any

from experiments import amazon, together
from experiments.common import Experiment, main
from tlda import methods
from tlda.errors import UserError

EXPERIMENT = Experiment(
  name='methods_amazon',
  doc=__doc__,
  defaults={
    **amazon.EXPERIMENT.defaults,
    'seeds': '5',
    'eval_every': 125,
  },
  published=amazon.EXPERIMENT.published,
)

SELECTIONS = ('last', 'reverse_validation', 'oracle')
NOTES: dict[str, str] = {}

# Two classes and bags of words: what needs batch normalisation or images is left out.
LEFT_OUT = ('adabn', 'dsbn', 'adamatch', 'fixmatch', 'mean_teacher', 'rotation')

# Second stages start from a trained network, and SGD at the first stage's rate destroys it: they
# have the optimizer of ADDA's authors. The norm of 100 sigmoid units is at most 10: AFN's usual
# radius of 25 drives them all into saturation.
_OWN = {
  **dict.fromkeys(('adda', 'dirt_t'), ' --optimizer=adam --learning_rate=0.0002'),
  'afn': ' --afn.radius=5',
}


def _rows() -> list[str]:
  """Returns the flags of each run: the baselines first, then every method by its name."""
  first, labels = ['source_only', 'target_only'], {'labelled_target', 'target_labels'}
  others = [
    name
    for name in methods.names(methods.PLAIN)
    if name not in (*first, *LEFT_OUT) and not labels & methods.get(name).reads
  ]
  return [
    f'--method={name} --source={source} --target={target}{_OWN.get(name, "")}'
    for name in first + others
    for source, target in amazon.PAIRS
  ]


# The rows of the results table, each the flags of a run.
TABLE = tuple(_rows())


def launch_all(rows: Sequence[Sequence[str]]) -> list[dict[str, Any] | UserError]:
  """Trains the rows of one method, all that can be in one program; returns their results.

  Args:
    rows: Command lines, program name first.
  """
  return together.launch(EXPERIMENT, rows)


if __name__ == '__main__':
  main(EXPERIMENT)
