"""What the network looks at when it decides."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from PIL import Image

from tlda.report.figures import SMALL, picture
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import parts

_LEAD = (
  'Target test images of the first seed, and over each its Grad-CAM (Selvaraju et al., 2017): the '
  'brighter a place, the more it speaks for the class that the network decides for. Of an error '
  'the true class stands before the arrow.'
)
_STRENGTH = 0.75  # of the colour where the heat is greatest


def section(runs: Sequence[Run]) -> Markup:
  """Returns images told rightly and wrongly, for each run that has maps of them."""
  figures = [
    figure
    for place, run in enumerate(runs)
    if 'target_maps' in run.samples
    for figure in _figures(runs, place)
  ]
  grid = parts.grid(figures, 2)
  return parts.section('What it looks at', grid, lead=_LEAD) if figures else Markup()


def _figures(runs: Sequence[Run], place: int) -> list[Markup]:
  """Returns a sheet of the images that were told rightly, and one of the others."""
  run = runs[place]
  shown, predicted = run.samples['target_shown'], run.samples['target_predicted']
  right = run.samples['target_labels'][shown] == predicted
  rows, columns = run.samples['target_maps'].shape[1:]
  named = lambda title: join(parts.run_name(runs, place), title.lower())
  return [
    parts.figure(
      _sheet(run, np.flatnonzero(chosen)), named(title) if len(runs) > 1 else title, remark
    )
    for title, chosen, remark in (
      ('Right', right, f'Maps of {rows} × {columns} places'),
      ('Wrong', ~right, ''),
    )
    if chosen.any()
  ]


def _sheet(run: Run, chosen: np.ndarray) -> Markup:
  """Returns each image above the same one with its map, and what it was taken for."""
  items = []
  for place in chosen:
    index = run.samples['target_shown'][place]
    image = run.samples['target_images'][index]
    true = run.class_name(int(run.samples['target_labels'][index]))
    taken = run.class_name(int(run.samples['target_predicted'][place]))
    told = true if true == taken else f'{true} → {taken}'
    heated = overlay(image, run.samples['target_maps'][place])
    plain = element('img', src=picture(image), alt=f'example of {true}')
    above = element('img', src=picture(heated), alt=f'what speaks for {taken}')
    items.append(element('li', plain, above, told))
  kind = ' pixels' if max(run.samples['target_images'].shape[1:3]) <= SMALL else ''
  return element('ul', *items, class_=f'sheet six{kind}')


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
  """Lays a heat map over an image, the stronger the hotter.

  Args:
    image: `[height, width, 1 or 3]` uint8.
    heat: `[rows, columns]` uint8; drawn smoothly to the size of the image.

  Returns:
    `[height, width, 3]` uint8.
  """
  height, width = image.shape[:2]
  smooth = Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)
  share = np.asarray(smooth, np.float64)[..., None] / 255
  colors = 255 * matplotlib.colormaps['inferno'](share[..., 0])[..., :3]
  blended = (1 - _STRENGTH * share) * image + _STRENGTH * share * colors
  return np.round(blended).astype(np.uint8)
