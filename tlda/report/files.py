"""The files of a finished run, checked as they are read: a broken one is one sentence."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tlda.errors import UserError

# What bounds the target error, and this itself.
ERROR_TERMS = ('source_error', 'divergence', 'joint_error', 'bound', 'target_error')
_RESULT = {
  'experiment': str,
  'method': str,
  'source': list,
  'target': str,
  'protocol': str,
  'seeds': list,
  'steps': int,
  'accuracy': dict,
}


def read_object(path: Path) -> dict[str, Any]:
  """Returns the JSON object in a file."""
  return _parse(path, _text(path))


def read_records(path: Path, seeds: int) -> list[dict[str, Any]]:
  """Returns the JSON objects of a file, one a line: numbers, or lists of one number a seed."""
  records = [_parse(path, line) for line in _text(path).splitlines()]
  for line, record in enumerate(records, start=1):
    _require(isinstance(record.get('step'), int), path, f'line {line} has no step')
    for key, value in record.items():
      fits = _is_number(value) or _are_numbers(value, seeds)
      _require(fits, path, f'line {line} has no number for each of {seeds} seeds in {key!r}')
  return records


def read_result(path: Path) -> dict[str, Any]:
  """Returns a `result.json` that holds what every page shows."""
  result = read_object(path)
  for key, kind in _RESULT.items():
    fits = isinstance(result.get(key), kind)
    _require(fits, path, f'{key!r} is missing, or is no {kind.__name__}')
  seeds = len(result['seeds'])
  # A run without source data has no accuracy there.
  measured = ['source_test'] if 'source_test' in result['accuracy'] else []
  for split in (*measured, 'target_test'):
    fits = _are_numbers(result['accuracy'].get(split), seeds)
    _require(fits, path, f'the accuracy has no number in {split!r} for each of {seeds} seeds')
  for rule, values in _mapping(path, result, 'selected').items():
    fits = _are_numbers(values, seeds)
    _require(fits, path, f'the selection {rule!r} has no number for each of {seeds} seeds')
  for rule, values in _mapping(path, result, 'rank_correlation').items():
    fits = isinstance(values, list) and len(values) == seeds
    fits = fits and all(value is None or _is_number(value) for value in values)
    _require(fits, path, f'the rank correlation of {rule!r} does not fit {seeds} seeds')
  _check_sources(path, result, seeds)
  _check_classes(path, result)
  _check_calibration(path, result, seeds)
  _check_divergences(path, result)
  published = _mapping(path, result, 'published')
  fits = isinstance(published.get('reference'), str) and _is_number(published.get('value'))
  _require(fits or not published, path, 'the published number lacks its value or its reference')
  return result


def read_samples(path: Path) -> dict[str, np.ndarray]:
  """Returns the arrays of a `samples.npz`."""
  try:
    with path.open('rb') as stream, np.load(stream) as file:
      samples = {name: file[name] for name in file.files}
  except FileNotFoundError as error:
    raise UserError(f'{path} cannot be read (No such file): is the run finished?') from error
  except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
    raise UserError(f'{path} is broken: {error}') from error
  if any('source' in name for name in samples):
    _check_samples(path, samples, 'source')
  _check_samples(path, samples, 'target')
  if 'target_maps' in samples:
    _check_maps(path, samples)
  return samples


def _check_sources(path: Path, result: Mapping[str, Any], seeds: int) -> None:
  """Checks what is said of each of several sources, where anything is."""
  for name in result['source']:
    values = result['accuracy'].get(f'{name}_test')
    fits = isinstance(name, str) and (values is None or _are_numbers(values, seeds))
    _require(fits, path, f'the accuracy of the source {name!r} does not fit {seeds} seeds')
  if worst := _mapping(path, result, 'worst_source'):
    names = worst.get('name')
    fits = isinstance(names, list) and len(names) == seeds
    fits = fits and all(isinstance(name, str) for name in names)
    fits = fits and _are_numbers(worst.get('accuracy'), seeds)
    _require(fits, path, f'the worst source does not fit {seeds} seeds')


def _check_classes(path: Path, result: Mapping[str, Any]) -> None:
  """Checks the names of the classes and the confusion matrices, where there are any."""
  names = result.get('class_names') or []
  fits = isinstance(names, list) and all(isinstance(name, str) for name in names)
  _require(fits, path, 'class_names is no list of names')
  matrices = _mapping(path, result, 'confusion_matrix').get('target_test', [])
  _require(isinstance(matrices, list), path, 'the confusion matrices are no list')
  for matrix in matrices:
    fits = isinstance(matrix, list) and len(matrix) == len(names)
    fits = fits and all(_are_numbers(row, len(names)) for row in matrix)
    _require(fits, path, f'a confusion matrix does not fit {len(names)} classes')


def _check_calibration(path: Path, result: Mapping[str, Any], seeds: int) -> None:
  """Checks what is said of calibration, where anything is."""
  calibration = _mapping(path, result, 'calibration')
  if not calibration:
    return
  fits = _are_numbers(calibration.get('temperature'), seeds)
  for split in ('source_test', 'target_test'):
    measured = _mapping(path, calibration, split)
    for moment in ('before', 'after'):
      found = _mapping(path, measured, moment)
      table = _mapping(path, found, 'reliability')
      columns = [table.get(name) for name in ('counts', 'confidence', 'accuracy')]
      bins = len(columns[0]) if isinstance(columns[0], list) else 0
      fits = fits and _are_numbers(found.get('error'), seeds)
      fits = fits and all(_are_numbers(column, bins) for column in columns)
    fits = fits and _is_number(measured.get('examples'))
  _require(fits, path, f'the calibration does not fit {seeds} seeds, or lacks a table')


def _check_divergences(path: Path, result: Mapping[str, Any]) -> None:
  """Checks what is said of the distance between the domains, where anything is."""
  for key in ('proxy_a_distance', 'sliced_wasserstein', 'joint_error', 'error_bound'):
    found = _mapping(path, result, key)
    names = ERROR_TERMS if key == 'error_bound' else ('before', 'after')
    fits = all(_is_number(found.get(name)) for name in names)
    _require(fits or not found, path, f'{key!r} lacks a number')
  found = _mapping(path, result, 'maximum_mean_discrepancy')
  for moment in ('before', 'after') if found else ():
    own = _mapping(path, found, moment)
    fits = _is_number(own.get('squared')) and _is_number(own.get('p_value'))
    _require(fits, path, f"'maximum_mean_discrepancy' lacks a number {moment} training")


def _check_samples(path: Path, samples: Mapping[str, np.ndarray], domain: str) -> None:
  """Checks what `samples.npz` holds of one domain."""
  labels = samples.get(f'{domain}_labels')
  fits = labels is not None and labels.ndim == 1 and labels.size > 0
  _require(fits and np.isfinite(labels).all(), path, f'it has no {domain}_labels')
  for moment in ('before', 'after'):
    features = samples.get(f'features_{moment}_{domain}')
    fits = features is not None and features.ndim == 2 and len(features) == len(labels)
    name = f'features_{moment}_{domain}'
    _require(fits and np.isfinite(features).all(), path, f'{name} do not fit the labels')
  images = samples.get(f'{domain}_images')
  if images is not None:
    fits = images.dtype == np.uint8 and images.ndim == 4 and images.shape[-1] in (1, 3)
    _require(fits, path, f'{domain}_images are not uint8 [n, height, width, 1 or 3]')


def _check_maps(path: Path, samples: Mapping[str, np.ndarray]) -> None:
  """Checks that heat maps are of images that are there."""
  maps, images = samples['target_maps'], samples.get('target_images')
  shown, predicted = (samples.get(f'target_{name}') for name in ('shown', 'predicted'))
  fits = images is not None and maps.dtype == np.uint8 and maps.ndim == 3 and maps.size > 0
  for places in (shown, predicted):
    fits = fits and places is not None and places.shape == maps.shape[:1]
    fits = fits and np.issubdtype(places.dtype, np.integer) and places.min() >= 0
  fits = fits and shown.max() < len(images)
  _require(fits, path, 'target_maps are not uint8 [n, rows, columns] of its target_images')


def _require(fits: bool, path: Path, complaint: str) -> None:
  """Raises UserError with the complaint about a file, unless it fits."""
  if not fits:
    raise UserError(f'{path} is broken: {complaint}')


def _text(path: Path) -> str:
  """Returns the text of a file."""
  try:
    return path.read_text(encoding='utf-8')
  except OSError as error:
    raise UserError(f'{path} cannot be read ({error.strerror}): is the run finished?') from error
  except UnicodeDecodeError as error:
    raise UserError(f'{path} is broken: it is no text') from error


def _parse(path: Path, text: str) -> dict[str, Any]:
  """Returns the JSON object that a text of a file holds."""
  try:
    value = json.loads(text)
  except json.JSONDecodeError as error:
    raise UserError(f'{path} is broken: {error}') from error
  _require(isinstance(value, dict), path, 'it holds no JSON object')
  return value


def _mapping(path: Path, result: Mapping[str, Any], key: str) -> Mapping[str, Any]:
  """Returns an optional object of a result; where it is missing or null, an empty one."""
  value = result.get(key) or {}
  _require(isinstance(value, dict), path, f'{key!r} is no object')
  return value


def _is_number(value: Any) -> bool:
  """Tells whether a JSON value is a number."""
  return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(values: Any, count: int) -> bool:
  """Tells whether a JSON value is a list of `count` numbers, and not empty."""
  return isinstance(values, list) and len(values) == count > 0 and all(map(_is_number, values))
