"""How to make it again: command, configuration, versions, device, data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tlda.report import text
from tlda.report.markup import Markup, element
from tlda.report.runs import Run
from tlda.report.sections import parts

_SHOWN = ('command', 'data', 'published')  # elsewhere on the page


def section(runs: Sequence[Run]) -> Markup:
  """Returns a fold for each run."""
  return parts.section('How to make it again', *map(_fold, runs))


def _fold(run: Run) -> Markup:
  """Returns all that a run was made of, folded away."""
  command = run.config.get('command')
  shown = element('pre', command, tabindex='0') if command else Markup()
  data = [
    (name, text.compact(facts.get('examples')), text.compact(facts.get('sha256')))
    for name, facts in (run.result.get('data') or {}).items()
  ]
  others = {key: value for key, value in run.config.items() if key not in _SHOWN}
  settings = [(key, text.compact(value)) for key, value in _flat(others)]
  return element(
    'details',
    element('summary', run.label),
    shown,
    element('h3', 'Data'),
    parts.table(('Domain', 'Examples', 'sha256'), data, class_='facts'),
    element('h3', 'Configuration'),
    parts.table(('Name', 'Value'), settings, class_='facts'),
  )


def _flat(config: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
  """Yields the leaves of a configuration under dotted names."""
  for key, value in config.items():
    if isinstance(value, Mapping):
      yield from _flat(value, f'{prefix}{key}.')
    else:
      yield f'{prefix}{key}', value
