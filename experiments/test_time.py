"""Test time: a finished run meets streams of unlabelled batches, and adapts to each as it comes.

  python -m experiments.test_time --init_from=runs/... --stream=mnist_m --method=tent
  python -m experiments.test_time --init_from=RUN --stream=a,b,c --method=eata --reset=domain

A stream is the test examples of its domains, one domain after the other, each in an order drawn by
the seed, in whole batches. Each batch is answered once, as it comes; the network then goes on from
what it has become (`--reset=never`, continual), begins anew with each domain (`domain`), or with
each batch (`batch`, episodic). Prints the share of wrong answers for each domain beside that of the
network as it was, on the same examples, and writes it to `result.json` in the workdir; with the
same flags a finished stream is not followed again. Numbers with other batches or another reset are
not comparable: the protocol names both.

scripts/reproduce.py test_time makes a table for each rule of reset. As papers do on CIFAR-10-C, it
takes all test images at strength 5, batches of 200 and Adam at 0.001, one kind of corruption after
the other, and the mean over kinds; the last domain is MNIST-M. One optimizer serves all methods.
The network is a LeNet trained on MNIST whose only batch normalisation is that of its bottleneck.
"""

import dataclasses
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments import command, common, digits, flags, outputs, problem, provenance, saved
from experiments.common import guarded, parse_seeds, spread
from tlda import data, methods, transfer
from tlda.data.corruptions import CORRUPTIONS, STRENGTHS
from tlda.errors import UserError
from tlda.methods.test_time.online import Online
from tlda.training import parallel, stream
from tlda.transfer import optimizers

METHODS = methods.names(methods.test_time.__doc__)
SETTINGS = {
  'init_from': ('', 'Folder of the finished run that meets the stream.'),
  'stream': ('', 'The domains, with commas, in their order; one may come again.'),
  'method': (
    'tent',
    f'How it adapts: one of {", ".join(methods.names(methods.test_time.__doc__))}.',
  ),
  'batch_size': (64, 'Examples that are answered at once.'),
  'reset': ('never', f'When it begins anew: {", ".join(stream.RESETS)}.'),
  'optimizer': ('adam', f'One of {", ".join(optimizers.names())}.'),
  'learning_rate': (0.001, 'Of every step.'),
  'momentum': (0.9, 'Of SGD; the decay of the first moment of Adam.'),
  'seeds': (
    '',
    'Orders of the stream: a count (3) or a list (0,5,7), each with the weights of this seed, or '
    'of the only one that the run has. Left empty, they are those of the run.',
  ),
  'workdir': ('', 'Folder of result.json (default: runs/test_time/METHOD-STREAM-RESET).'),
  'data_dir': (None, 'Folder of raw and prepared data (default: TLDA_DATA_DIR).'),
}

# The network of the table, the stream that it meets, and the flags of each row.
SOURCE = Path('runs/tables/test_time/source')
TRAINED = (
  '--method=source_only --source=mnist --target=mnist_m --backbone=lenet_bn --steps=2000 '
  f'--seeds=3 --report=false --workdir={SOURCE}'
)
MET = (*(f'corrupted:mnist/{kind}-{STRENGTHS}' for kind in CORRUPTIONS), 'mnist_m')
TABLE = tuple(
  f'--method={method} --reset={reset} --batch_size=200'
  for reset in stream.RESETS
  for method in METHODS
)


def launch(argv: Sequence[str]) -> dict[str, Any] | None:
  """Makes a row of the table: trains the network, if it is not there, and follows the stream.

  Args:
    argv: The command line, program name first; a finished row is not made again.

  Returns:
    What `result.json` holds.

  Raises:
    UserError: Whatever the user got wrong.
    Preempted: The training was told to stop, and is saved.
  """
  if not (SOURCE / 'result.json').exists():
    common.launch(digits.EXPERIMENT, ['experiments.digits', *shlex.split(TRAINED)])
  words = [word for word in argv[1:] if not word.startswith('--report=')]
  return adapt([argv[0], f'--init_from={SOURCE}', f'--stream={",".join(MET)}', *words])


def results(found: Mapping[str, Any]) -> list[dict[str, Any]]:
  """Returns the rows that a stream makes in a table, one for each of its domains.

  Those of the network as it was, which are the same beside every method, stand beside the first.

  Args:
    found: What `result.json` holds.
  """
  measured = {found['method']: 'error'}
  if found['method'] == METHODS[0]:
    measured = {'source_only': 'source_error', **measured}
  same = {key: found[key] for key in ('protocol', 'seeds')} | {'published': None}
  return [
    {
      **same,
      'method': method,
      'source': [found['config']['source']],
      'target': each['domain'],
      'error': {'target_test': each[error]},
      'data': {each['domain']: {'sha256': {'test': each['sha256']}}},
    }
    for method, error in measured.items()
    for each in found['domains']
  ]


def adapt(argv: Sequence[str]) -> dict[str, Any] | None:
  """Follows a stream, prints a table and writes the result.

  Args:
    argv: The command line, program name first.

  Returns:
    What `result.json` holds; None after `--help`.

  Raises:
    UserError: No run, no stream, or what does not fit together.
  """
  name = flags.named('method', flags.expanded(argv), SETTINGS['method'][0])
  kind = methods.get(name)
  prefix, help_of = flags.prefix(name, kind), flags.attribute_help(kind)
  own = {f'{prefix}.{field}': (x, help_of[field]) for field, x in flags.fields(kind).items()}
  given = command.parse(__doc__, argv, {**SETTINGS, **own})
  if given is None:
    return None
  parsed, _ = given
  if not parsed['init_from'] or not parsed['stream']:
    raise UserError('say which run meets which domains: --init_from=RUN --stream=a,b')
  place = '-'.join([name, _folder(parsed['stream']), parsed['reset']])
  workdir = Path(parsed['workdir'] or f'runs/test_time/{place}')
  if (found := outputs.finished(workdir, parsed, 'test_time')) is not None:
    print(table(found))
    return found
  run = saved.load(parsed['init_from'], '--init_from')
  names = parsed['stream'].split(',')
  domains = [problem.seen_by(run, domain, parsed['data_dir']) for domain in names]
  fields = {field: parsed[f'{prefix}.{field}'] for field in flags.fields(kind)}
  own_stream = plan(parsed, run, kind, domains, fields)
  found = {
    'experiment': 'test_time',
    'method': name,
    'protocol': protocol(own_stream),
    'seeds': list(own_stream.seeds),
    'domains': measured(own_stream, domains),
    'config': {
      'flags': parsed,
      'source': run.flags['source'],
      'command': shlex.join(['python', '-m', 'experiments.test_time', *argv[1:]]),
      'commit': provenance.commit(),
    },
    'versions': provenance.versions(),
    'device': parallel.describe(),
  }
  print(table(found))
  outputs.write(workdir / 'result.json', found, '--workdir')
  return found


def plan(
  parsed: dict[str, Any],
  run: saved.Saved,
  kind: type[methods.Method],
  domains: Sequence[data.Domain],
  fields: dict[str, Any],
) -> stream.Stream:
  """Returns the stream that parsed flags describe, checked.

  Args:
    parsed: All flags.
    run: The finished run.
    kind: The method.
    domains: Of the stream.
    fields: Of the method.

  Raises:
    UserError: What does not fit together, in a sentence.
  """
  if not issubclass(kind, Online):
    raise UserError(
      f'--method={parsed["method"]} is none for test time: these are {", ".join(METHODS)}'
    )
  for domain in domains:
    if domain.classes != run.classes:
      raise UserError(f'{domain.name} has other classes than --init_from={parsed["init_from"]}')
  if parsed['batch_size'] < 1 or not parsed['learning_rate'] > 0:
    raise UserError('--batch_size must be 1 or above, and --learning_rate above 0')
  if not 0 <= parsed['momentum'] < 1:
    raise UserError(f'--momentum must be in [0, 1), not {parsed["momentum"]}')
  normalization = run.method.normalization or run.flags['normalization']
  if kind.normalization not in (None, normalization):
    raise UserError(
      f'--method={parsed["method"]} needs a network with --normalization={kind.normalization}, '
      f'and --init_from={parsed["init_from"]} has {normalization}'
    )
  known = run.method
  spec = dataclasses.replace(known.spec, target=problem.describe([], domains[0]).target)
  seeds = parse_seeds(parsed['seeds']) if parsed['seeds'] else run.seeds
  alone = len(run.seeds) == 1
  if (missing := sorted(set(seeds) - set(run.seeds))) and not alone:
    raise UserError(f'--init_from={parsed["init_from"]} has seeds {list(run.seeds)}, not {missing}')
  schedule = transfer.schedule('constant', parsed['learning_rate'], 1)
  found = stream.Stream(
    method=kind(spec=spec, task=known.task, extractor=known.extractor, head=known.head, **fields),
    optimizer=transfer.optimizer(parsed['optimizer'], schedule, 1, momentum=parsed['momentum']),
    preprocessing=run.preprocessing,
    splits=tuple(domain.test for domain in domains),
    variables=tuple(run.variables[0 if alone else run.seeds.index(seed)] for seed in seeds),
    seeds=seeds,
    batch_size=parsed['batch_size'],
    reset=parsed['reset'],
  )
  found.check()
  return found


def protocol(plan: stream.Stream) -> str:
  """Returns what a number on a stream depends on: the size of a batch, samples, the reset rule."""
  samples = sum(plan.batches(split) for split in plan.splits) * plan.batch_size
  return f'test_time/batches of {plan.batch_size}, {samples} samples, reset {plan.reset}'


def measured(plan: stream.Stream, domains: Sequence[data.Domain]) -> list[dict[str, Any]]:
  """Follows a stream; returns for each of its domains the errors of all seeds."""
  found = []
  for domain, answers in zip(domains, stream.follow(plan), strict=True):
    adapted, unadapted = answers.errors(domain.test.labels)
    found.append(
      {
        'domain': domain.name,
        'samples': answers.rows.shape[1],
        'sha256': domain.test.sha256,
        'error': adapted,
        'source_error': unadapted,
      }
    )
  return found


def table(found: dict[str, Any]) -> str:
  """Returns a line for each domain: the errors of the method, and of the network as it was."""
  rows = [(each['domain'], each['error'], each['source_error']) for each in found['domains']]
  if len(rows) > 1:
    mean = lambda place: [
      sum(x) / len(rows) for x in zip(*(row[place] for row in rows), strict=True)
    ]
    rows.append(('mean', mean(1), mean(2)))
  width = max(len(name) for name, _, _ in rows)
  lines = [
    f'{name.ljust(width)}  error {spread(adapted)}, unadapted {spread(source)}'
    for name, adapted, source in rows
  ]
  return '\n'.join([f'{found["method"]}, {found["protocol"]}', *lines])


def _folder(names: str) -> str:
  return names.replace('/', '_').replace(':', '_')


if __name__ == '__main__':
  sys.exit(guarded(lambda: adapt(sys.argv)))
