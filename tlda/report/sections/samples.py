"""What the domains look like."""

from collections.abc import Sequence

import numpy as np

from tlda.report.figures import SMALL, picture
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import parts

_LEAD = 'Test examples with their labels.'


def section(runs: Sequence[Run]) -> Markup:
  """Returns images of both domains, those of the first run; of vectors there are none."""
  run = runs[0]
  names = {'source': ' + '.join(run.result['source']), 'target': run.result['target']}
  sheets = [
    parts.figure(_sheet(run, domain), join(element('b', domain.capitalize()), f' {name}'))
    for domain, name in names.items()
    if f'{domain}_images' in run.samples
  ]
  return parts.section('Samples', parts.grid(sheets, 2), lead=_LEAD) if sheets else Markup()


def _sheet(run: Run, domain: str) -> Markup:
  """Returns a contact sheet."""
  images = run.samples[f'{domain}_images']
  names = [_label_name(run, label) for label in run.samples[f'{domain}_labels']]
  is_large = max(images.shape[1:3]) > SMALL or max(map(len, names)) > 4
  shown = list(zip(images, names, strict=False))[: 20 if is_large else 40]
  samples = (
    element('li', element('img', src=picture(image), alt=f'example of {name}'), name)
    for image, name in shown
  )
  kind = ' pixels' if max(images.shape[1:3]) <= SMALL else ''
  return element('ul', *samples, class_=f'sheet{" large" if is_large else ""}{kind}')


def _label_name(run: Run, label: np.ndarray) -> str:
  """Returns the name of a class, or the number that a regression task is to predict."""
  whole = np.issubdtype(label.dtype, np.integer)
  return run.class_name(int(label)) if whole else f'{float(label):.3g}'
