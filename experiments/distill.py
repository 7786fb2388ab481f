"""Distillation: a small network learns from labels, and from a larger one that was trained before.

  python -m experiments.distill --method=target_only --backbone=mnist_net --workdir=runs/teacher
  python -m experiments.distill --teacher=runs/teacher --backbone=mlp --workdir=runs/student
  python -m experiments.distill --method=target_only --backbone=mlp --workdir=runs/alone

The teacher is any finished run that tells the same classes apart in inputs of the same shape,
whatever its backbone and method (one seed teaches all of the student's; of several, seed i teaches
seed i). The student learns the labelled target as `--method=target_only` does, which is what to
compare it with, and besides the teacher's softened logits, its features
(`--knowledge_distillation.features=1`) or its attention (`--knowledge_distillation.attention=100`).
"""

from experiments.common import Experiment, main

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

if __name__ == '__main__':
  main(EXPERIMENT)
