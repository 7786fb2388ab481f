"""Sentiment across departments of Amazon from raw text, with MiniLM.

  python -m experiments.text --source=amazon_text/books --target=amazon_text/kitchen --method=dann
  python -m experiments.text --transfer=linear_probe --method=source_only

The encoder is all-MiniLM-L6-v2 (Wang et al., *MiniLM*, NeurIPS 2020; 22.7 million weights, trained
on sentence pairs); its features are the mean over tokens. Reviews of Blitzer et al. (ACL 2007):
1,600 to train on, 400 to test with, of each department. Every weight moves by default, those of the
encoder at a tenth of the rate of what is new.

Measured: experiments/results/text.md; scripts/reproduce.py text makes it again.
"""

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

if __name__ == '__main__':
  main(EXPERIMENT)
