"""How far apart the domains are in the space of features, and what the target error is made of."""

from collections.abc import Sequence

from tlda.report import text
from tlda.report.files import ERROR_TERMS
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import parts

_LEAD = (
  'Features of at most 300 test examples of each domain, standardised; the first seed. MMD is the '
  'maximum mean discrepancy, squared and without bias, and p that of its permutation test '
  '(Gretton et al., 2012); the sliced Wasserstein distance is in standard deviations. The joint '
  'error is the sum, over both domains, of the errors of one linear classifier that learnt other '
  'test examples of both, with their labels.'
)
_BOUND = (
  'The target error is at most the sum of the source error, half of the divergence and the error '
  'of the ideal joint classifier (Ben-David et al., 2010), but for finite samples. Here they are '
  'estimates, by linear classifiers: half of the proxy A-distance, and the joint error above. In '
  'percent. Target test labels only explain a finished run: nothing was chosen by them.'
)
_MISSING = '–'


def section(runs: Sequence[Run]) -> Markup:
  """Returns the distances before and after training, and the terms of the bound, where known."""
  if not any(run.result.get('maximum_mean_discrepancy') for run in runs):
    return Markup()
  rows = [
    [_named(runs, place, f'{moment} training'), *_distances(run, moment)]
    for place, run in enumerate(runs)
    for moment in ('before', 'after')
  ]
  heads = ['Proxy A-distance', _head('MMD', 'squared, × 1,000'), _head('p', 'of MMD')]
  heads += ['Sliced Wasserstein', _head('Joint error', 'percent, of both')]
  table = parts.table(['Features', *heads], rows, class_='numbers')
  return parts.section('Distance between the domains', table, *_bound(runs), lead=_LEAD)


def _distances(run: Run, moment: str) -> list[str]:
  """Returns the cells of a line."""
  known = lambda key: (run.result.get(key) or {}).get(moment)
  found = known('maximum_mean_discrepancy') or {}
  cells = (
    (known('proxy_a_distance'), lambda x: f'{x:.2f}'),
    (found.get('squared'), lambda x: f'{1000 * x:.1f}'.replace('-', '−')),
    (found.get('p_value'), text.probability),
    (known('sliced_wasserstein'), lambda x: f'{x:.2f}'),
    (known('joint_error'), text.percent),
  )
  return [_MISSING if value is None else shown(value) for value, shown in cells]


def _bound(runs: Sequence[Run]) -> list[Markup]:
  """Returns the table of the bound's terms, where a run knows them, and what it means."""
  known = [place for place, run in enumerate(runs) if run.result.get('error_bound')]
  if not known:
    return []
  rows = [
    [
      _named(runs, place, 'after training'),
      *(text.percent(runs[place].result['error_bound'][term]) for term in ERROR_TERMS),
    ]
    for place in known
  ]
  heads = [
    'Source error',
    _head('+ Divergence', 'half'),
    '+ Joint error',
    '= Bound',
    'Target error',
  ]
  table = parts.table(['Network', *heads], rows, class_='numbers')
  title = element('h3', 'What the target error is made of')
  return [title, table, element('p', _BOUND, class_='note')]


def _named(runs: Sequence[Run], place: int, moment: str) -> Markup:
  """Returns what a line is of: where runs are compared, its run and the moment."""
  return join(parts.run_name(runs, place) if len(runs) > 1 else '', moment.capitalize())


def _head(title: str, remark: str) -> Markup:
  """Returns a column's head with a remark under it."""
  return join(title, element('small', remark))
