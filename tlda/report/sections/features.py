"""What adaptation did to the features: both domains before and after training."""

from collections.abc import Sequence

import numpy as np

from tlda.report.embedding import embed
from tlda.report.figures import mark, scatter
from tlda.report.markup import Markup, element, join
from tlda.report.palette import class_colors, ramp
from tlda.report.runs import Run
from tlda.report.sections import parts

_NAMED = 20
_LEAD = 'Features of test examples of the first seed in the plane (t-SNE, both domains together).'
_LEAD_DISTANCE = (
  ' The proxy A-distance is 0 where a linear classifier cannot tell the domains apart, and 2 where '
  'it always can.'
)


def section(runs: Sequence[Run]) -> Markup:
  """Returns a panel for each run before and after training; equal panels are drawn once."""
  panels, seen = [], []
  for place, run in enumerate(runs):
    features = _features(run, 'before')
    if not any(_equal(features, other) for other in seen):
      seen.append(features)
      panels.append((place, 'before'))
  panels += [(place, 'after') for place in range(len(runs))]
  figures = [_panel(runs, place, moment, shared=len(seen) == 1) for place, moment in panels]
  panels_in_a_row = max(2, min(len(figures), 4))
  grid = parts.grid(figures, panels_in_a_row)
  measured = any(run.result.get('proxy_a_distance') for run in runs)
  lead = _LEAD + measured * _LEAD_DISTANCE
  shown = next((run for run in runs if 'source_labels' in run.samples), runs[0])
  return parts.section('Features', _legend(shown), grid, lead=lead)


def _features(run: Run, moment: str) -> list[np.ndarray]:
  """Returns the features of source and target at a moment."""
  return _both(run, f'features_{moment}_source', f'features_{moment}_target')


def _both(run: Run, source: str, target: str) -> list[np.ndarray]:
  """Returns samples of source and target; without source data, those of the source are empty."""
  of_target = run.samples[target]
  return [run.samples.get(source, of_target[:0]), of_target]


def _equal(features: list[np.ndarray], others: list[np.ndarray]) -> bool:
  """Tells whether two runs have the same features."""
  return all(map(np.array_equal, features, others))


def _panel(runs: Sequence[Run], place: int, moment: str, *, shared: bool) -> Markup:
  """Returns one embedding under its name and its proxy A-distance."""
  run = runs[place]
  name = f'{moment.capitalize()} training'
  labels = _labels(run)
  points = embed(*_features(run, moment))
  description = f't-SNE of the features of source and target, {run.label}, {moment} training'
  plot = scatter(points, _colors(run, labels), description)
  named = len(runs) > 1 and not (moment == 'before' and shared)
  title = join(parts.run_name(runs, place), name.lower()) if named else name
  return parts.figure(plot, title, _distance(run, moment))


def _distance(run: Run, moment: str) -> str:
  """Returns the proxy A-distance, where it was measured."""
  distance = (run.result.get('proxy_a_distance') or {}).get(moment)
  return '' if distance is None else f'Proxy A-distance {distance:.2f}'


def _colors(run: Run, labels: list[np.ndarray]) -> list[list[str]]:
  """Returns a colour for each example: that of its class, or of its place among numbers."""
  if _are_classes(labels):
    colors = class_colors(_classes(run))
    return [[colors[label] for label in x] for x in labels]
  low, high = _range(labels)
  return [ramp((x - low) / max(high - low, 1e-9)) for x in labels]


def _are_classes(labels: list[np.ndarray]) -> bool:
  """Tells classes from the numbers that a regression is to predict."""
  return all(np.issubdtype(x.dtype, np.integer) for x in labels)


def _labels(run: Run) -> list[np.ndarray]:
  """Returns the labels of source and target."""
  return _both(run, 'source_labels', 'target_labels')


def _classes(run: Run) -> int:
  """Returns how many classes there are, by their names or by the labels."""
  return max(len(run.result.get('class_names') or []), np.concatenate(_labels(run)).max() + 1)


def _range(labels: list[np.ndarray]) -> tuple[float, float]:
  """Returns the least and the greatest label of both domains."""
  joined = np.concatenate(labels)
  return float(joined.min()), float(joined.max())


def _legend(run: Run) -> Markup:
  """Says which mark is which domain, and which colour which class."""
  names = (' + '.join(run.result['source']), run.result['target'])
  marks = [
    element('span', mark(kind), f' {domain} {name}', class_='run')
    for kind, (domain, name) in enumerate(zip(('source', 'target'), names, strict=True))
    if f'{domain}_labels' in run.samples
  ]
  return element('p', *marks, *_color_legend(run), class_='legend')


def _color_legend(run: Run) -> list[Markup]:
  """Explains the colours."""
  labels = _labels(run)
  if not _are_classes(labels):
    low, high = _range(labels)
    ends = zip(ramp(np.array([0.0, 1.0])), (f'label {low:.3g}', f'label {high:.3g}'), strict=True)
    return [element('span', parts.swatch(color), name, class_='run') for color, name in ends]
  classes = _classes(run)
  if classes > _NAMED:
    return [element('span', f'one colour for each of {classes} classes', class_='run')]
  return [
    element('span', parts.swatch(color), run.class_name(label), class_='run')
    for label, color in enumerate(class_colors(classes))
  ]
