"""Shallow baselines: adaptation of feature vectors by methods that learn no features.

  python -m experiments.shallow --method=tca --source=amazon/books --target=amazon/dvd
  python -m experiments.shallow --method=svm --source=npz:a.npz --target=npz:b.npz --svm.c=0.01

A method sees the source's training examples with their labels and the target's training examples
without, and is measured on the target's test examples; of domains named `/all` both are all
examples. easy_tl and label_propagation answer examples together: they adapt to the test examples
instead of the training's, without labels too. Nothing is drawn at random, so that one seed is all.
Writes `result.json` to `--workdir`; with the same flags a finished run is not run again.
"""

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import command, compilation, flags, outputs, protocol, provenance
from experiments.common import Experiment, guarded
from tlda import data, shallow
from tlda.data.protocol import check_data, facts
from tlda.errors import UserError
from tlda.training import parallel

EXPERIMENT = Experiment(
  name='shallow',
  doc=__doc__,
  defaults={'method': 'coral', 'source': 'amazon/books', 'target': 'amazon/dvd'},
)
_HELP = {
  'method': f'One of {", ".join(shallow.names())}.',
  'source': f'Labelled domain of vectors: one of {", ".join(data.names())}; or npz:PATH.',
  'target': 'Domain to adapt to, named as the source is.',
  'protocol': 'The name under which data and splits are reported.',
  'workdir': 'Folder of result.json (default: runs/EXPERIMENT/METHOD-SOURCE-TARGET).',
  'data_dir': 'Folder of raw and prepared data (default: TLDA_DATA_DIR).',
}


def launch(
  experiment: Experiment,
  argv: Sequence[str],
  named: Callable[[Mapping[str, Any]], str] = lambda flags: flags['method'],
) -> dict[str, Any] | None:
  """Runs one baseline; returns what `result.json` holds, None after `--help`.

  Args:
    experiment: Its defaults, protocols and published numbers.
    argv: The command line, program name first.
    named: Under which name flags have a published number.

  Raises:
    UserError: Whatever the user got wrong.
  """
  own = {name: (experiment.defaults.get(name), text) for name, text in _HELP.items()}
  name = flags.named('method', flags.expanded(argv), experiment.defaults['method'])
  kind = shallow.get(name)
  help_of = flags.attribute_help(kind)
  fields = {f'{name}.{field}': (x, help_of[field]) for field, x in flags.fields(kind).items()}
  given = command.parse(experiment.doc, argv, own | fields)
  if given is None:
    return None
  compilation.use_cache()
  parsed = given[0]
  pair = (parsed['source'], parsed['target'])
  folder = '-'.join((name, *pair)).replace('/', '_').replace(':', '_')
  workdir = Path(parsed['workdir'] or f'runs/{experiment.name}/{folder}')
  parsed['protocol'] = protocol.settled(experiment.name, parsed)
  if (found := outputs.finished(workdir, parsed, experiment.name)) is None:
    method = kind(**{field: parsed[f'{name}.{field}'] for field in flags.fields(kind)})
    found = {'experiment': experiment.name, **_measured(method, parsed)}
    place = (parsed['protocol'], *pair, named(parsed))
    found['published'] = dict(experiment.published.get(place, {})) or None
    words = ['python', '-m', f'experiments.{experiment.name}', *argv[1:]]
    found['config'] = {
      'flags': parsed,
      'protocol_sha256': protocol.fingerprint(parsed['protocol']),
      'command': shlex.join(words),
      'commit': provenance.commit(),
      'versions': provenance.versions(),
      'device': parallel.describe(),
    }
    outputs.write(workdir / 'result.json', found, '--workdir')
  print(f'{name}: target test accuracy {100 * found["accuracy"]["target_test"][0]:.2f}%')
  return found


def _measured(method: shallow.Shallow, parsed: Mapping[str, Any]) -> dict[str, Any]:
  """Loads both domains, and measures a method on the target's test examples."""
  pair = [data.load(parsed[side], parsed['data_dir']) for side in ('source', 'target')]
  (source,), target = data.fit_together(pair[:1], pair[1])
  if np.ndim(target.train.inputs) != 2 or target.train.is_tokens:
    raise UserError(
      f'{target.name} holds no vectors, which shallow baselines read: '
      'experiments.extract_features makes some'
    )
  known = {domain.name: facts(domain) for domain in (source, target)}
  check_data(parsed['protocol'], known)
  start = time.monotonic()
  scores = method.predict(
    source.train.inputs, source.train.labels, target.train.inputs, target.test.inputs
  )
  seconds = time.monotonic() - start
  confusion = np.zeros((len(target.classes), len(target.classes)), int)
  np.add.at(confusion, (target.test.labels, scores.argmax(axis=1)), 1)
  return {
    'method': parsed['method'],
    'source': [source.name],
    'target': target.name,
    'protocol': parsed['protocol'],
    'seeds': [0],
    'steps': 0,
    'accuracy': {'target_test': [confusion.trace() / confusion.sum()]},
    'confusion_matrix': {'target_test': [confusion.tolist()]},
    'class_names': list(target.classes),
    'seconds': round(seconds, 1),
    'data': known,
  }


if __name__ == '__main__':
  sys.exit(guarded(lambda: launch(EXPERIMENT, sys.argv)))
