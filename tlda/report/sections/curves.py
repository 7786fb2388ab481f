"""How it went: accuracies and losses over the steps."""

from collections.abc import Sequence

from tlda.report.figures import Curve, plot
from tlda.report.markup import Markup
from tlda.report.palette import run_color
from tlda.report.runs import Run
from tlda.report.sections import parts

_ACCURACIES = {
  'accuracy/target_test': 'Accuracy, target test',
  'accuracy/source_test': 'Accuracy, source test',
}
_LEAD_ONE = 'Against the training step.'
_LEAD_SEVERAL = (
  'Mean over seeds against the training step; the band is one standard deviation on either side.'
)


def section(runs: Sequence[Run]) -> Markup:
  """Returns one plot a quantity, with a line a run."""
  losses = {key: f'Loss, {key[5:]}' for run in runs for key in run.keys('loss/')}
  figures = [
    parts.figure(plot(curves, name=name, percent=key in _ACCURACIES), name)
    for key, name in (_ACCURACIES | losses).items()
    if (curves := _curves(runs, key))
  ]
  several = any(len(run.result['seeds']) > 1 for run in runs)
  lead = _LEAD_SEVERAL if several else _LEAD_ONE
  return parts.section('Curves', parts.run_legend(runs), parts.grid(figures, 2), lead=lead)


def _curves(runs: Sequence[Run], key: str) -> list[Curve]:
  """Returns the curves of the runs that logged `key`."""
  return [
    Curve(run.label, run_color(place), *run.series(key))
    for place, run in enumerate(runs)
    if run.keys(key)
  ]
