"""Fine-tuning of a pretrained network on a labelled data set: all of it, or what a strategy moves.

  python -m experiments.fine_tune --target=folder:PATH --transfer=linear_probe
  python -m experiments.fine_tune --target=pacs/sketch --labels_per_class=20 --transfer=layer_decay

The network is EfficientNet-Lite0 with its ImageNet weights (`--weights= --transfer=fine_tune` is
training from scratch); the labelled examples are the target's (`--method=target_only`). With
another method and a `--source`, any strategy works under adaptation too. `--dry_run` shows what
would move, and how fast.

Measured: experiments/results/fine_tune.md; scripts/reproduce.py fine_tune makes it again.
"""

from experiments.common import Experiment, main

EXPERIMENT = Experiment(
  name='fine_tune',
  doc=__doc__,
  defaults={
    'method': 'target_only',
    'source': '',
    'target': 'office_caltech/amazon',
    'backbone': 'efficientnet_lite0',
    'bottleneck': 0,
    'weights': 'efficientnet_lite0',
    'image_size': 128,
    'steps': 300,
    'batch_size': 32,
    'learning_rate': 0.01,
    'schedule': 'cosine',
    'log_every': 20,
    'eval_every': 100,
    'checkpoint_every': 100,
  },
)

if __name__ == '__main__':
  main(EXPERIMENT)
