"""From flags to a run: what every experiment does, so that each is a docstring and its defaults."""

import dataclasses
import math
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from absl import flags as absl_flags
from etils import epath

from experiments import (
  compilation,
  dry_run,
  flags,
  given,
  network,
  problem,
  protocol,
  provenance,
  saved,
  source_run,
  usage,
)
from tlda import methods, report
from tlda.data.protocol import check_data
from tlda.errors import UserError
from tlda.evaluation import validators
from tlda.evaluation.metrics import mean_and_std
from tlda.models.network import backbone_of
from tlda.training import parallel
from tlda.training.fit import fit
from tlda.training.preemption import EXIT_CODE, Preempted
from tlda.training.run import Run, refuse

MOST_SEEDS = 10_000  # Of a run: it trains them side by side.

DEFAULTS: dict[str, Any] = {
  'method': 'dann',
  'source': 'mnist',
  'target': 'mnist_m',
  'protocol': '',
  'backbone': 'mnist_net',
  'bottleneck': -1,
  'weights': '',
  'allow_missing': False,
  'transfer': 'fine_tune',
  'normalization': 'joint',
  'image_size': 0,
  'tokens': 128,
  'steps': 10_000,
  'batch_size': 64,
  'learning_rate': 0.01,
  'schedule': 'annealing',
  'optimizer': 'sgd',
  'momentum': 0.9,
  'weight_decay': 0.0,
  'label_smoothing': 0.0,
  'seeds': '1',
  'log_every': 100,
  'eval_every': 1_000,
  'checkpoint_every': 1_000,
  'select': 'last',
  'validators': 'all',
  'augment': flags.NO_AUGMENTATION,
  'source_classes': '',
  'target_classes': '',
  'labels_per_class': 0,
  'target_labels_per_class': 0,
  'report': True,
}


@dataclasses.dataclass(frozen=True)
class Experiment:
  """One benchmark: its name, its defaults, and what has been published about it.

  Attributes:
    name: As in `python -m experiments.NAME`.
    doc: What `--help` begins with.
    defaults: Where they differ from `DEFAULTS`.
    published: (protocol, source, target, method) to {'value', 'reference', 'note'}.
  """

  name: str
  doc: str
  defaults: Mapping[str, Any]
  published: Mapping[tuple[str, str, str, str], Mapping[str, Any]] = dataclasses.field(
    default_factory=dict
  )


def main(experiment: Experiment, argv: Sequence[str] | None = None) -> None:
  """Runs an experiment from the command line and leaves with its exit code."""
  sys.exit(guarded(lambda: launch(experiment, sys.argv if argv is None else argv)))


def guarded(function: Callable[[], object]) -> int:
  """Calls a function; returns the exit code, and where that is not 0 says why in one sentence."""
  try:
    function()
    sys.stdout.flush()
  except UserError as error:
    print(f'error: {error}', file=sys.stderr)
    return 2
  except Preempted as notice:
    print(f'{notice}; the same command goes on from there', file=sys.stderr)
    return EXIT_CODE
  except KeyboardInterrupt:
    print('interrupted', file=sys.stderr)
    return 130
  except BrokenPipeError:
    # As in `... | head`: Python writes at its end what is left, for which nobody is there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
  return 0


def launch(experiment: Experiment, argv: Sequence[str]) -> dict[str, Any] | None:
  """Parses flags, trains (its first stage too, if there is one) and writes the report.

  Args:
    experiment: The experiment.
    argv: The command line, program name first.

  Returns:
    What `result.json` holds; None after `--help` or `--helpfull`.

  Raises:
    UserError: Whatever the user got wrong.
    Preempted: The run was told to stop, and is saved.
  """
  defaults = {**DEFAULTS, **experiment.defaults}
  values = absl_flags.FlagValues()
  absl_flags.DEFINE_bool('help', False, 'Show this text.', short_name='h', flag_values=values)
  absl_flags.DEFINE_bool('helpfull', False, 'Show the flags of all methods.', flag_values=values)
  parsed, method = flags.parse(argv, defaults, values)
  whole = values['helpfull'].value
  if whole or values['help'].value:
    print(usage.usage(experiment.doc, parsed['method'], values, whole=whole))
    return None
  compilation.use_cache()
  pod = {name: parsed.pop(name) for name in flags.PODS}
  if any(value is not None and value is not False for value in pod.values()):
    parallel.connect(pod['coordinator'], pod['processes'], pod['process'])
  command = shlex.join(['python', '-m', f'experiments.{experiment.name}', *argv[1:]])
  parsed |= {'experiment': experiment.name, 'source': parsed['source'] or parsed['target']}
  if parsed.pop('dry_run'):
    run = build(experiment, method, parsed, command)
    layers = backbone_of(run.method.extractor).layers
    print(dry_run.table(run, network.strategy(parsed), layers, network.schedule(parsed)))
    network.check(parsed, run)  # Last: what it refuses is to be looked for in the table.
    refuse(run)
    return None
  return train(experiment, method, parsed, command)


def train(
  experiment: Experiment, method: type[methods.Method], parsed: dict[str, Any], command: str
) -> dict[str, Any]:
  """Trains what parsed flags say, after its first stage if it has one, and writes the report."""
  run = build(experiment, method, parsed, command)
  network.check(parsed, run)
  if method.first_stage and run.initial is None:
    folder = run.workdir / method.first_stage
    first = {**parsed, 'method': method.first_stage, 'workdir': str(folder)}
    own = flags.prefix(parsed['method'], method) + '.'
    first = {name: value for name, value in first.items() if not name.startswith(own)}
    kind = methods.get(method.first_stage)
    first |= {} if 'labelled_target' in kind.reads else {'target_labels_per_class': 0}
    train(experiment, kind, first, command)
    run = dataclasses.replace(run, initial=folder)
  result = fit(run)
  if parallel.is_first_host():
    print(summary(result))
    if parsed['report']:
      page = run.workdir / 'report' / 'index.html'
      report.write([run.workdir], page)
      print(f'report: {page}')
  return result


def build(
  experiment: Experiment,
  method: type[methods.Method],
  parsed: dict[str, Any],
  command: str,
  read: problem.Read | None = None,
) -> Run:
  """Returns the run that parsed flags describe; loads the data by `read`, and trains nothing.

  Raises:
    UserError: Names, numbers or data do not fit; said before anything is compiled.
  """
  _check_numbers(parsed)
  seeds = parse_seeds(parsed['seeds'])
  start = source_run.find(parsed, method, {**DEFAULTS, **experiment.defaults}['source'])
  if start:
    parsed = {**parsed, 'source': start.flags['source']}
  sources, target = problem.load(parsed, method, start, read)
  sources, target = problem.with_few_labels(method, sources, target, parsed['labels_per_class'])
  spec = problem.describe(sources, target, start)
  parts = network.build(parsed, method, spec)
  name = protocol.settled(experiment.name, parsed)
  published = experiment.published.get((name, *map(parsed.get, ('source', 'target', 'method'))))
  sees = network.expected(parsed, parts) or problem.preprocessing(method, sources, target)
  own, arrays = given.find(parsed, method, parts, target, sees, seeds)
  run = Run(
    method=network.method(parsed, method, spec, parts, **own),
    optimizer=network.optimizer(parsed, parts),
    sources=tuple(sources),
    target=target,
    preprocessing=sees,
    steps=parsed['steps'],
    batch_size=parsed['batch_size'],
    seeds=seeds,
    workdir=epath.Path(parsed['workdir'] or _folder(experiment.name, parsed)),
    log_every=parsed['log_every'],
    eval_every=parsed['eval_every'],
    checkpoint_every=parsed['checkpoint_every'],
    distribute=parsed['distribute'],
    initial=epath.Path(parsed['init_from']) if parsed['init_from'] else None,
    flags={**parsed, 'protocol': name},
    numbers=flags.numbers(parsed, method),
    select=parsed['select'],
    validators=parse_validators(parsed['validators']),
    augment=problem.augmentation(parsed['augment']),
    labelled_target=problem.few_labels(target, parsed['target_labels_per_class']),
    weights=network.weights(parsed, parts),
    given=arrays,
    about={
      'published': dict(published) if published else None,
      'protocol_sha256': protocol.fingerprint(name),
      'command': command,
      'commit': provenance.commit(),
      'versions': provenance.versions(),
      'device': parallel.describe(),
    },
  )
  run.method.check(run.batch_size)
  check_data(name, run.data)
  return dataclasses.replace(run, about={**run.about, 'network': saved.describe(run)})


def _folder(experiment: str, parsed: Mapping[str, Any]) -> str:
  """Returns where a run lies whose folder is not named."""
  folder = f'{parsed["method"]}-{parsed["source"]}-{parsed["target"]}'
  return f'runs/{experiment}/{folder.replace("/", "_").replace(":", "_")}'


def _check_numbers(parsed: Mapping[str, Any]) -> None:
  intervals = ('log_every', 'eval_every', 'checkpoint_every')
  for name in ('tokens', 'steps', 'batch_size', 'learning_rate', *intervals):
    if not 0 < parsed[name] < math.inf:
      raise UserError(f'--{name} must be above 0, not {parsed[name]}')
  for name in ('weight_decay', 'image_size', 'labels_per_class', 'target_labels_per_class'):
    if not 0 <= parsed[name] < math.inf:
      raise UserError(f'--{name} must be 0 or above, not {parsed[name]}')
  for name in ('momentum', 'label_smoothing'):
    if not 0 <= parsed[name] < 1:
      raise UserError(f'--{name} must be in [0, 1), not {parsed[name]}')


def parse_seeds(text: str) -> tuple[int, ...]:
  """Returns the seeds of `--seeds`: '3' is (0, 1, 2), '0,5,7' (or '4,') is the list.

  Raises:
    UserError: It is neither, one comes twice, or there is none, or too many.
  """
  try:
    numbers = [int(number) for number in text.split(',') if number.strip()]
  except ValueError:
    raise UserError(f'--seeds={text} is neither a count (3) nor a list (0,5,7)') from None
  seeds = tuple(numbers) if ',' in text else tuple(range(min(sum(numbers), MOST_SEEDS + 1)))
  if not 0 < len(set(seeds)) == len(seeds) <= MOST_SEEDS or min(seeds) < 0 or max(seeds) >= 2**31:
    raise UserError(f'--seeds={text}: name 1 to {MOST_SEEDS}, none twice, of 0 to 2^31 - 1')
  return seeds


def parse_validators(text: str) -> tuple[str, ...]:
  """Returns the validators of `--validators`: 'all', 'none', or the list; names are not checked."""
  if text in ('all', 'none'):
    return tuple(validators.names()) if text == 'all' else ()
  return tuple(name for name in text.split(',') if name)


def summary(result: Mapping[str, Any]) -> str:
  """Returns a finished run in one line: method, domains, accuracy as mean and spread over seeds."""
  accuracy = spread(result['accuracy']['target_test'])
  pair = f'{",".join(result["source"])} -> {result["target"]}'
  return f'{result["method"]} {pair}: target test accuracy {accuracy} (last step)'


def spread(values: Sequence[float]) -> str:
  """Returns shares as '76.66 ± 1.20 %', mean and sample standard deviation; of one only itself."""
  mean, std = mean_and_std(values)
  return f'{100 * mean:.2f} %' if std is None else f'{100 * mean:.2f} ± {100 * std:.2f} %'
