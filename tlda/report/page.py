"""One HTML page of one run, or of several that are compared.

The page is a single file without scripts: it opens from disk, with no network, and can be sent by
mail.
"""

import string
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from tlda.errors import UserError
from tlda.report import runs as run_files
from tlda.report import text
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import (
  calibration,
  confusion,
  curves,
  divergence,
  features,
  heat_maps,
  provenance,
  results,
  samples,
)

_SECTIONS = (
  *(results, samples, curves, features, divergence, confusion, calibration, heat_maps),
  provenance,
)


def write(workdirs: Sequence[Path], output: Path) -> None:
  """Writes the page.

  Args:
    workdirs: The folders of finished runs with the same source, target and protocol.
    output: The HTML file; its folder is made, and a page that is there is replaced.

  Raises:
    UserError: A file of a run is missing or broken, runs do not belong together, or the page cannot
    be
      written.
  """
  page = render(run_files.read(workdirs))
  try:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding='utf-8')
  except OSError as error:
    raise UserError(f'{output} cannot be written ({error.strerror})') from error


def render(runs: Sequence[Run]) -> str:
  """Returns the page of runs that belong together."""
  result = runs[0].result
  template = resources.files('tlda.report').joinpath('page.html').read_text(encoding='utf-8')
  title = text.arrow(result['source'], result['target'])
  return string.Template(template).substitute(
    title=join(f'{title} · {result["experiment"]}'),
    header=_header(runs, title),
    body=join(*(module.section(runs) for module in _SECTIONS)),
  )


def _header(runs: Sequence[Run], title: str) -> Markup:
  """Returns what all runs have in common."""
  result = runs[0].result
  facts = {
    'Protocol': [result['protocol']],
    'Method' if len(runs) == 1 else 'Methods': [run.label for run in runs],
    'Steps': [text.span([run.result['steps'] for run in runs])],
    'Seeds': [text.span([len(run.result['seeds']) for run in runs])],
  }
  terms = (
    element('div', element('dt', name), element('dd', ', '.join(values)))
    for name, values in facts.items()
  )
  experiment = element('p', result['experiment'], class_='experiment')
  return join(experiment, element('h1', title), element('dl', *terms))
