"""Sentiment across departments of Amazon from raw text, with MiniLM.

  python -m experiments.text --source=amazon_text/books --target=amazon_text/kitchen --method=dann
  python -m experiments.text --transfer=linear_probe --method=source_only

The encoder is all-MiniLM-L6-v2 (Wang et al., *MiniLM*, NeurIPS 2020; 22.7 million weights, trained
on sentence pairs); its features are the mean over tokens. Reviews of Blitzer et al. (ACL 2007):
1,600 to train on, 400 to test with, of each department. Every weight moves by default, those of the
encoder at a tenth of the rate of what is new.

Measured: experiments/results/text.md; scripts/reproduce.py text makes it again.
"""

from collections.abc import Mapping
from typing import Any

from experiments.common import Experiment, main

EXPERIMENT = Experiment(
  name='text',
  doc=__doc__,
  defaults={
    'method': 'source_only',
    'source': 'amazon_text/books',
    'target': 'amazon_text/kitchen',
    'backbone': 'minilm',
    'weights': 'minilm',
    'bottleneck': -1,
    'fine_tune.backbone_rate': 0.1,
    'tokens': 64,
    'steps': 150,
    'batch_size': 16,
    'optimizer': 'adamw',
    'learning_rate': 0.0003,
    'schedule': 'cosine',
    'log_every': 25,
    'eval_every': 150,
    'checkpoint_every': 75,
  },
)

PAIRS = (('amazon_text/books', 'amazon_text/kitchen'), ('amazon_text/kitchen', 'amazon_text/books'))
# What is learned, and how: the bag-of-words network of Ganin et al. (2016) beside it is
# `methods_amazon`.
_ROWS = (
  '--method=source_only --transfer=linear_probe --learning_rate=0.003 --steps=300',
  '--method=source_only',
  '--method=dann',
  '--method=target_only',
)


def named(flags: Mapping[str, Any]) -> str:
  """Returns what a row of the table is called: its method, and its strategy if not fine-tuning."""
  strategy = flags['transfer']
  return flags['method'] + (f' ({strategy})' if strategy != 'fine_tune' else '')


TABLE = tuple(
  f'{row} --source={source} --target={target} --seeds=3'
  for row in _ROWS
  for source, target in PAIRS
)

if __name__ == '__main__':
  main(EXPERIMENT)
