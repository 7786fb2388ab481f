"""Every method for feature vectors on the twelve pairs of Amazon reviews (Ganin et al., 2016).

  python -m experiments.methods_amazon --method=dann --source=amazon/books --target=amazon/dvd

Data, splits and network (100 sigmoid units) of Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 2016, section 5.1: 2,000 labelled source and 2,000 unlabelled target reviews. They
chose hyper-parameters for each pair by reverse validation and stopped early, as experiments.amazon
does; here all methods share one schedule (but ADDA, DIRT-T, AFN and VADA, see below), and all pairs
and seeds of a method are one program. The learning rate is that of experiments.amazon.

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
# Half of the reviews of each target are negative; source_only says so of 54 in 100. What asks that
# predictions on the target be sure, or heads agree, adds to that tilt. Shares are those of the last
# step, means over pairs and seeds, from the confusion matrices.
NOTES = {
  'adda': 'its second stage sees no labels: from 76.7 after the first, on the mean of the pairs, '
  'accuracy falls, and 60 in 100 target reviews end as negative',
  'can': "its contrast outweighs the task: the source's own test falls too, by 1 to 3 points; with "
  'a tenth of its weight books to dvd is 79.8 and electronics to books as it is (one trial of two '
  'seeds). Features are positive, so that its radius, an angle, leaves no review out',
  'cdan_e': 'loses 9 to 12 points on three pairs with right shares of both classes: there it is '
  'single reviews that are aligned with the wrong class',
  'deep_coral': 'calls 61 in 100 target reviews negative (source_only 54, truth 50), most where it '
  'loses most: from dvd and electronics to books, 72 and 76',
  'gvb': 'loses 15 and 12 points from electronics and kitchen to books, of which 28 and 56 in 100 '
  'are called negative, and 6 or less on the others',
  'mcc': 'from dvd to books 74 in 100 target reviews are called negative (source_only 61): being '
  'sure adds to the tilt of the source; from electronics to books shares are right, and reviews '
  'are not',
  'mcd': 'calls 69 in 100 target reviews negative: of two classes both heads agree most easily on '
  'one',
  'mdd': 'calls 87 in 100 target reviews negative: of two classes a head and its adversary agree '
  'most easily on one; with a tenth of its weight on all pairs but one it is 15 points better '
  '(amazon.md)',
  'pseudo_label': 'its labels count from a tenth of the training on, when the network hardly knows '
  'the source, and three times: it is confirmed in calling 89 in 100 target reviews negative',
  'sdat': 'stands on CDAN+E, and loses where that does',
  'star': 'loses 3 to 5 points on the three pairs to books, and gains up to 3 on the six to '
  'electronics and kitchen',
  'symnets': 'calls 65 in 100 target reviews negative: its two heads, like those of MCD, agree '
  'most easily on one class',
}

# Two classes and bags of words: what needs batch normalisation or images is left out.
LEFT_OUT = ('adabn', 'dsbn', 'adamatch', 'fixmatch', 'mean_teacher', 'rotation')

# Second stages start from a trained network, and SGD at the first stage's rate destroys it: both
# stages have Adam with the first moment of their authors' code, 0.5, at a rate with which the first
# learns the source in 250 steps (0.0002, that of ADDA's authors, leaves it 3 to 5 points behind).
# DIRT-T changed its teacher every 5,000 steps: sixteen in 250 drift to a single class, and one does
# not (seen on the source's test). The norm of 100 sigmoid units is at most 10: AFN's usual radius
# of 25 drives them all into saturation. A radius of 3.5, VADA's for images, moves a review past
# others, and only a constant is smooth: of 0.1, 0.35 and 1, 0.1 is best on the source's test.
# Rates, teachers and radii were tried on two pairs with two seeds.
_OWN = {
  'adda': ' --optimizer=adam --momentum=0.5 --learning_rate=0.001',
  'dirt_t': ' --optimizer=adam --momentum=0.5 --learning_rate=0.001 --vada.radius=0.1 '
  '--dirt_t.radius=0.1 --dirt_t.teachers=1',
  'afn': ' --afn.radius=5',
  'vada': ' --vada.radius=0.1',
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
