import base64
import io
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from PIL import Image

from tlda.report.embedding import embed
from tlda.report.figures import Curve, picture, plot, scatter
from tlda.report.palette import class_colors, ramp

_STEPS = np.arange(1, 11) * 100


def _plot(name: str = 'Loss', seeds: int = 3, **options: bool) -> str:
  values = np.random.default_rng(0).uniform(0.001, 0.004, (10, seeds))
  return plot([Curve('dann', '#0072b2', _STEPS, values)], name=name, **options)


def _parse(svg: str) -> xml.Element:
  return xml.fromstring(svg.replace('<svg', '<svg xmlns:xlink="x"', 1))


def test_a_plot_takes_the_colour_and_font_of_the_page() -> None:
  svg = _plot()
  _parse(svg)
  assert 'currentColor' in svg
  assert '#010203' not in svg
  assert 'DejaVu' not in svg
  assert 'metadata' not in svg


def test_ticks_keep_their_digits() -> None:
  texts = [text for x in _parse(_plot()).iter() if x.tag == 'text' for text in x.itertext()]
  assert '0.0016' in texts
  assert '1,000' in texts


def test_percentages_are_drawn_and_told() -> None:
  svg = plot([Curve('dann', '#0072b2', _STEPS, np.full((10, 2), 0.75))], name='A', percent=True)
  assert 'A against the step: dann ends at 75.0 percent' in svg


def test_a_single_point_can_be_seen() -> None:
  svg = _parse(plot([Curve('dann', '#0072b2', np.array([8]), np.ones((1, 3)))], name='Loss'))
  assert any(x.tag == 'use' and '#0072b2' in x.get('style', '') for x in svg.iter())


def test_plots_of_a_page_share_no_name() -> None:
  first, second = (set(re.findall(r'\bid="([^"]+)"', _plot(name))) for name in ('One', 'Two'))
  assert first
  assert not first & second


def test_a_band_needs_several_seeds() -> None:
  assert 'FillBetween' in _plot(seeds=2)
  assert 'FillBetween' not in _plot(seeds=1)


def test_the_same_plot_is_drawn_twice() -> None:
  assert _plot() == _plot()


def test_scatter_draws_one_path_a_colour_and_domain() -> None:
  points = np.array([[0.0, 0.0], [1.0, 0.5], [0.5, 1.0]])
  svg = _parse(scatter([points, points], [['#a', '#b', '#a'], ['#a'] * 3], 'both'))
  paths = [(x.get('stroke'), x.get('class')) for x in svg]
  assert paths == [('#a', 'dots'), ('#b', 'dots'), ('#a', 'crosses')]
  assert svg[0].get('d') == 'M8.0 8.0h0M200.0 392.0h0'
  assert svg[2].get('d').count('M') == 3


def _open(uri: str) -> Image.Image:
  kind, data = re.fullmatch(r'data:image/(png|jpeg);base64,(.+)', uri).groups()
  image = Image.open(io.BytesIO(base64.b64decode(data)))
  assert image.format.lower() == kind
  return image


@pytest.mark.parametrize('channels', [1, 3])
def test_small_images_are_stored_as_they_are(channels: int) -> None:
  pixels = np.random.default_rng(0).integers(0, 256, (28, 20, channels), np.uint8)
  image = np.asarray(_open(picture(pixels)))
  np.testing.assert_array_equal(image.reshape(pixels.shape), pixels)


def test_large_images_are_made_smaller() -> None:
  image = _open(picture(np.zeros((300, 150, 3), np.uint8)))
  assert (image.format, image.size) == ('JPEG', (48, 96))


def test_embedding_keeps_clusters_apart_and_stays_in_the_square() -> None:
  random = np.random.default_rng(0)
  centers = 20 * np.eye(2, 60)
  labels = np.arange(40) % 2
  source, target = (centers[labels] + random.normal(size=(40, 60)) for _ in range(2))
  points = embed(source.astype(np.float32), target.astype(np.float32))
  assert [x.shape for x in points] == [(40, 2), (40, 2)]
  joined, label = np.concatenate(points), np.tile(labels, 2)
  assert joined.min() >= 0
  assert joined.max() <= 1
  middles = [joined[label == k].mean(axis=0) for k in (0, 1)]
  radius = max(np.linalg.norm(joined[label == k] - middles[k], axis=1).max() for k in (0, 1))
  assert np.linalg.norm(middles[0] - middles[1]) > radius
  again = embed(source.astype(np.float32), target.astype(np.float32))
  np.testing.assert_array_equal(again[0], points[0])


def test_embedding_of_few_equal_or_scalar_features() -> None:
  for features in (np.ones((3, 5), np.float32), np.arange(4, dtype=np.float32)[:, None]):
    source, target = embed(features, features)
    assert np.isfinite(source).all()
    assert np.isfinite(target).all()


def test_each_class_has_a_colour_of_its_own() -> None:
  for classes in (1, 2, 10, 11, 65, 345):
    colors = class_colors(classes)
    assert len(set(colors)) == classes
    assert all(re.fullmatch('#[0-9a-f]{6}', color) for color in colors)
  assert len(ramp(np.linspace(0, 1, 5))) == 5
