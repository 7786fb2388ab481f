"""Colours that people with any kind of colour vision tell apart, on white and on black."""

import colorsys

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

# Okabe and Ito (2008), without their yellow (faint on white) and black (unseen on black).
RUNS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')

# Ten colours of Petroff, *Accessible color sequences for data visualization* (2021).
_CLASSES = (
  '#3f90da', '#ffa90e', '#bd1f01', '#94a4a2', '#832db6',
  '#a96b59', '#e76300', '#b9ac70', '#717581', '#92dadd',
)  # fmt: skip


def run_color(place: int) -> str:
  """Returns the colour of the run at a place among those compared; after six they come again."""
  return RUNS[place % len(RUNS)]


def class_colors(classes: int) -> list[str]:
  """Returns a colour for each class; beyond ten they run round the hues, too many to name."""
  if classes <= len(_CLASSES):
    return list(_CLASSES[:classes])
  hues = (colorsys.hls_to_rgb(place / classes, 0.55, 0.65) for place in range(classes))
  return ['#' + ''.join(f'{round(255 * channel):02x}' for channel in hue) for hue in hues]


def ramp(fractions: np.ndarray) -> list[str]:
  """Returns a colour for each fraction in [0, 1], from blue over green to yellow (viridis)."""
  return [to_hex(color) for color in matplotlib.colormaps['viridis'](0.2 + 0.7 * fractions)]
