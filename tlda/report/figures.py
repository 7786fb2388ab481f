"""Figures as SVG that takes the page's font and text colour, and pictures as data URIs."""

import base64
import dataclasses
import io
import re
import zlib
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from tlda.report.markup import Markup, element

SMALL = 48  # pixels: the edge of images that are shown dot by dot
_INK = '#010203'  # stands for the page's text colour until the SVG is in the page
_STYLE = {
  'svg.fonttype': 'none',
  'font.family': 'DejaVu Sans',
  'font.size': 8.5,
  'text.color': _INK,
  'figure.facecolor': 'none',
  'axes.facecolor': 'none',
  'savefig.facecolor': 'none',
  'axes.edgecolor': _INK,
  'axes.labelcolor': _INK,
  'xtick.color': _INK,
  'ytick.color': _INK,
  'axes.spines.top': False,
  'axes.spines.right': False,
  'axes.spines.left': False,
  'axes.linewidth': 0.6,
  'xtick.major.width': 0.6,
  'ytick.major.size': 0,
  'axes.grid': True,
  'axes.grid.axis': 'y',
  'grid.color': _INK,
  'grid.alpha': 0.15,
  'grid.linewidth': 0.6,
}

_MARKS = ('h0', 'm-2.5-2.5l5 5m0-5l-5 5')  # a dot (a line without length, its ends round), a cross
_CLASSES = ('dots', 'crosses')


@dataclasses.dataclass(frozen=True)
class Curve:
  """One run's values over its steps.

  Attributes:
    label: The run.
    color: '#rrggbb'.
    steps: `[n]`.
    values: `[n, seeds]`; the line is the mean over seeds, the band one sample standard deviation.
  """

  label: str
  color: str
  steps: np.ndarray
  values: np.ndarray


def plot(curves: Sequence[Curve], *, name: str, percent: bool = False) -> Markup:
  """Draws curves against the step.

  Args:
    curves: What is drawn.
    name: What the figure is called by those who cannot see it; unlike that of any other on the
      page.
    percent: Whether values are fractions to be shown as percentages.
  """
  with matplotlib.rc_context({**_STYLE, 'svg.hashsalt': name}):
    figure = Figure(figsize=(5.0, 2.5), layout='constrained')
    axes = figure.add_subplot()
    for curve in curves:
      _draw(axes, curve, 100.0 if percent else 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f'{step:,.0f}'))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f'{y:g}' + '%' * percent))
    axes.set_xlim(0, 1.01 * max(curve.steps[-1] for curve in curves))
    ends = (f'{curve.label} ends at {_last(curve, percent)}' for curve in curves)
    return _inline(figure, f'{name} against the step: {"; ".join(ends)}')


def _draw(axes: matplotlib.axes.Axes, curve: Curve, scale: float) -> None:
  """Draws one curve and its band."""
  mean = scale * curve.values.mean(axis=1)
  marker = 'o' if len(mean) == 1 else None  # a line of one point cannot be seen
  axes.plot(curve.steps, mean, color=curve.color, linewidth=1.6, marker=marker)
  if curve.values.shape[1] > 1:
    std = scale * curve.values.std(axis=1, ddof=1)
    axes.fill_between(
      curve.steps, mean - std, mean + std, color=curve.color, alpha=0.2, linewidth=0
    )


def _last(curve: Curve, percent: bool) -> str:
  """Returns the last mean in words."""
  value = curve.values[-1].mean()
  return f'{100 * value:.1f} percent' if percent else f'{value:.3g}'


def diagram(tables: Mapping[str, Mapping[str, Sequence[float]]], name: str) -> Markup:
  """Draws reliability diagrams over each other: accuracy against confidence, and the diagonal.

  The area of a mark is the share of examples in its bin; empty bins have none.

  Args:
    tables: By colour, '#rrggbb', the columns `counts`, `confidence` and `accuracy` `[bins]`.
    name: What the figure is called by those who cannot see it; unlike that of any other on the
      page.
  """
  with matplotlib.rc_context({**_STYLE, 'svg.hashsalt': name}):
    figure = Figure(figsize=(5.0, 3.4), layout='constrained')
    axes = figure.add_subplot()
    axes.plot([0, 100], [0, 100], color=_INK, linewidth=0.8, linestyle=(0, (4, 4)), alpha=0.6)
    for color, table in tables.items():
      columns = [np.asarray(table[key], float) for key in ('counts', 'confidence', 'accuracy')]
      counts, confidence, accuracy = (column[columns[0] > 0] for column in columns)
      axes.plot(100 * confidence, 100 * accuracy, color=color, linewidth=1.2)
      areas = 4 + 120 * counts / counts.sum()
      axes.scatter(100 * confidence, 100 * accuracy, areas, color=color, linewidths=0, zorder=3)
    axes.set(xlim=(0, 102), ylim=(0, 104), xlabel='Confidence', ylabel='Accuracy')
    for axis in (axes.xaxis, axes.yaxis):
      axis.set_major_locator(MaxNLocator(5))
      axis.set_major_formatter(FuncFormatter(lambda x, _: f'{x:g}%'))
    return _inline(figure, name)


def _inline(figure: Figure, description: str) -> Markup:
  """Returns a figure as an SVG element that fills the width it is given."""
  file = io.BytesIO()
  FigureCanvasSVG(figure).print_svg(file, metadata={'Date': None})
  text = file.getvalue().decode()
  body = text[text.index('<defs>') : text.rindex('</svg>')]
  prefix = f'f{zlib.crc32(description.encode()):x}-'  # one namespace for all figures of a page
  body = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf'\g<1>{prefix}', body)
  body = re.sub(r'="[^"]*"', lambda found: re.sub(r'(\.\d\d)\d+', r'\1', found[0]), body)
  body = body.replace(_INK, 'currentColor').replace("'DejaVu Sans'", 'var(--font)')
  width, height = 72 * figure.get_size_inches()
  return element(
    'svg',
    Markup(body),
    viewBox=f'0 0 {width:g} {height:g}',
    role='img',
    aria_label=description,
    class_='plot',
  )


def mark(kind: int) -> Markup:
  """Returns the mark of the first (0) or the second cloud of a scatter plot, for its legend."""
  path = element('path', d=f'M7 7{_MARKS[kind]}', stroke='currentColor', class_=_CLASSES[kind])
  return element('svg', path, viewBox='0 0 14 14', aria_hidden='true', class_='mark')


def scatter(points: Sequence[np.ndarray], colors: Sequence[Sequence[str]], name: str) -> Markup:
  """Draws two clouds of points: the first as dots, the second as crosses.

  One path a colour makes it a tenth of what a plotting library would write.

  Args:
    points: Two arrays `[n, 2]` in [0, 1].
    colors: A colour for each point of both.
    name: What the figure is called by those who cannot see it.
  """
  paths = []
  for kind, (cloud, shades) in enumerate(zip(points, colors, strict=True)):
    shades = np.asarray(shades)
    for shade in dict.fromkeys(shades.tolist()):
      places = 8 + 384 * cloud[shades == shade]
      marks = ''.join(f'M{x:.1f} {y:.1f}{_MARKS[kind]}' for x, y in places)
      paths.append(element('path', d=marks, stroke=shade, class_=_CLASSES[kind]))
  return element('svg', *paths, viewBox='0 0 400 400', role='img', aria_label=name, class_='cloud')


def picture(pixels: np.ndarray) -> str:
  """Returns an image as a data URI: a photograph of more than 48 pixels as a JPEG of at most 96.

  Args:
    pixels: `[height, width, 1, 3 or 4]` uint8.
  """
  image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
  kind = 'PNG' if max(image.size) <= SMALL or image.mode == 'RGBA' else 'JPEG'
  if kind == 'JPEG':
    image.thumbnail((2 * SMALL, 2 * SMALL))
  file = io.BytesIO()
  image.save(file, kind, optimize=True)
  return f'data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}'
