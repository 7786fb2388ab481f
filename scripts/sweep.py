"""Searches the settings of a method at random, on one machine or on many.

  python scripts/sweep.py EXPERIMENT --method=dann --source=A --target=B --budget=20 --seeds=3
  python scripts/sweep.py plan EXPERIMENT FLAGS    only draws the configurations
  python scripts/sweep.py work FOLDER              trains them, beside other workers
  python scripts/sweep.py status FOLDER            done, running, failed, stale, waiting
  python scripts/sweep.py report FOLDER            writes sweep.json and sweep.md anew

The first does all of it, and the same command goes on with what was stopped or is missing. Fields
of the method that say a range are searched (`python -m experiments.EXPERIMENT --help --method=dann`
tells them), and what `--range` names; one that is given a value keeps it. All other flags are those
of the experiment. `--select` names the rule by which the winner is chosen; it looks at no label of
the target, and the oracle is shown beside it.

The folder holds plan.json, the runs by their ids in runs/, and who works at what in claims/.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), os.getcwd()]

from absl import flags as absl_flags  # noqa: E402

from experiments import command, common  # noqa: E402
from experiments.flags import define_one  # noqa: E402
from experiments.sweeps import crew, plan, state, table, work  # noqa: E402
from experiments.usage import entry  # noqa: E402
from tlda.errors import UserError, nearest  # noqa: E402

Settings = dict[str, tuple[Any, str]]

WORK: Settings = {
  'workers': (1, 'Processes on this machine; on an accelerator, which one fills, one.'),
  'stale_after': (300.0, 'Seconds without a sign of life after which a worker is taken for lost.'),
  'retry_failed': (False, 'Take up runs that have failed before.'),
  'together': (
    False,
    'Train all runs that fit one program in one: for small networks; numbers, no weights.',
  ),
  'wait': (True, 'Stay while others work, and take up the runs of those that are lost.'),
}
_LOCAL: Settings = {
  'data_dir': (None, 'Folder of raw and prepared data (default: TLDA_DATA_DIR).'),
  'distribute': (None, 'How the step is spread over the devices of this machine.'),
}


def main(argv: Sequence[str]) -> int:
  """Runs the command line; returns its exit code."""
  verbs = {'plan': _plan, 'work': _work, 'status': _status, 'report': _report}
  asked = {word.lstrip('-').partition('=')[0] for word in argv[1:] if word.startswith('-')}
  if len(argv) < 2 or asked & {'help', 'h'}:
    print(_help())
    return 0
  act, words = (verbs[argv[1]], argv[2:]) if argv[1] in verbs else (_whole, argv[1:])
  if act is _whole and '.' not in argv[1] and argv[1] not in (known := plan.experiments()):
    print(f'error: {nearest("experiment or command", argv[1], [*known, *verbs])}', file=sys.stderr)
    return 2
  codes: list[int] = []
  return common.guarded(lambda: codes.append(act(words))) or codes[0]


def _whole(words: Sequence[str]) -> int:
  """Plans, works, and reports; returns 0 when every run is done."""
  folder, drawn, values, parsed = _drawn(words)
  local = {name: parsed[name] for name in plan.LOCAL}
  own = local | {name: values[name].value for name in WORK}
  _check(own)
  work.check(drawn, _words(local))
  _write(drawn, folder)  # Last, so that a mistake leaves no plan that its mending would not fit.
  code = _at_work(folder, own)
  _status([folder])
  _report([folder])
  runs = state.look(plan.read(folder), folder)
  return 0 if all(run.state == state.DONE for run in runs) else code or 1


def _plan(words: Sequence[str]) -> int:
  """Plans, and says how to go on."""
  folder, drawn, values, _ = _drawn(words)
  _check({name: values[name].value for name in WORK})
  _write(drawn, folder)
  print(f'python scripts/sweep.py work {folder}')
  return 0


def _work(words: Sequence[str]) -> int:
  """Works at what is planned."""
  parsed, folder = _folder('work', words, WORK | _LOCAL)
  _check(parsed)
  return _at_work(folder, parsed)


def _status(words: Sequence[str]) -> int:
  """Says how far a sweep is."""
  _, folder = _folder('status', words, {})
  print(table.status(plan.read(folder), folder))
  return 0


def _report(words: Sequence[str]) -> int:
  """Writes the result of a sweep."""
  _, folder = _folder('report', words, {})
  print(f'report: {table.write(plan.read(folder), folder)}')
  return 0


def _drawn(
  words: Sequence[str],
) -> tuple[str, plan.Plan, absl_flags.FlagValues, dict[str, Any]]:
  """Draws a plan; returns its folder, itself, the flags of the sweep and of the experiment."""
  values = _values()
  drawn, parsed = plan.make(words[0] if words else '', words[1:], values)
  pair = f'{parsed["method"]}-{parsed["source"]}-{parsed["target"]}'
  pair = pair.replace('/', '_').replace(':', '_')
  folder = (values['folder'].value or f'runs/sweeps/{words[0]}/{pair}').rstrip('/')
  return folder, drawn, values, parsed


def _write(drawn: plan.Plan, folder: str) -> None:
  """Writes a plan, or finds it."""
  drawn = plan.write(drawn, folder)
  print(f'{folder}: {len(drawn.runs)} different runs of {drawn.budget} drawings', flush=True)


def _check(parsed: dict[str, Any]) -> None:
  if parsed['workers'] < 1 or not parsed['stale_after'] > 0:
    raise UserError('--workers must be 1 or above, and --stale_after above 0')


def _at_work(folder: str, parsed: dict[str, Any]) -> int:
  """Works at a sweep, with as many processes as there should be; returns the exit code."""
  if parsed['workers'] > 1:
    own = _words({name: value for name, value in parsed.items() if name != 'workers'})
    return crew.run([sys.executable, __file__, 'work', folder, *own], parsed['workers'])
  work.work(
    folder,
    _words({name: parsed[name] for name in plan.LOCAL}),
    term=parsed['stale_after'],
    retry_failed=parsed['retry_failed'],
    wait=parsed['wait'],
    train_all=work.train_together if parsed['together'] else None,
  )
  return 0


def _folder(verb: str, words: Sequence[str], settings: Settings) -> tuple[dict[str, Any], str]:
  """Returns the flags and the folder of a command line."""
  given = command.parse(__doc__, [verb, *words], settings, places=True)
  if given is None:
    sys.exit(0)  # A flag file asked for help.
  parsed, places = given
  if len(places) != 1:
    raise UserError(f'say which sweep: python scripts/sweep.py {verb} FOLDER')
  return parsed, places[0].rstrip('/')


def _words(parsed: dict[str, Any]) -> list[str]:
  return [f'--{name}={value}' for name, value in parsed.items() if value is not None]


def _values() -> absl_flags.FlagValues:
  """Returns the flags of a sweep, those of its workers among them."""
  values = absl_flags.FlagValues()
  plan.define(values)
  for name, (default, text) in WORK.items():
    define_one(name, default, text, values)
  return values


def _help() -> str:
  values = _values()
  own = [line for name in (*plan.FLAGS, *WORK) for line in entry(name, values)]
  return '\n'.join([__doc__.strip(), '', 'Flags:', *own])


if __name__ == '__main__':
  sys.exit(main(sys.argv))
