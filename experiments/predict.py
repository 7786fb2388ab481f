"""Predictions of a trained run for files of yours.

  python -m experiments.predict --workdir=runs/... picture.jpg folder/ more.png
  python -m experiments.predict --workdir=runs/... --json reviews.txt

Prints label, probability and file, a line each: for images each file, and each one below a folder;
for texts each line of each file. A run of several seeds predicts by the mean of their
probabilities. What is no image is named, left out and counted, and the exit code is then 1.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from experiments import command, saved
from experiments.common import guarded
from tlda.data import text
from tlda.data.images import EncodedImages, Files
from tlda.errors import UserError

# Files that are decoded and predicted at once.
ROWS = 32
SETTINGS = {
  'workdir': (None, 'Folder of a finished run.'),
  'json': (False, 'Print a JSON object a line, with the probabilities of all classes.'),
}


def main(argv: Sequence[str]) -> int:
  """Runs the command line; returns its exit code: 1 where something was left out."""
  left_out: list[str] = []
  code = guarded(lambda: left_out.extend(predict(argv)))
  if left_out:
    print(f'{len(left_out)} left out: {", ".join(left_out)}', file=sys.stderr)
  return code or int(bool(left_out))


def predict(argv: Sequence[str]) -> list[str]:
  """Prints predictions; returns what was left out.

  Args:
    argv: The command line, program name first.

  Raises:
    UserError: No run, no files, or a file that is not there.
  """
  parsed = command.parse(__doc__, argv, SETTINGS, places=True)
  if parsed is None:
    return []
  settings, places = parsed
  if not settings['workdir']:
    raise UserError('say which run predicts: --workdir=DIR')
  if not places:
    raise UserError('say what to predict: image files, folders of them, or files of text')
  run = saved.load(settings['workdir'])
  left_out: list[str] = []
  if not (run.method.spec.is_text or len(run.method.spec.input_shape) == 3):
    raise UserError('this run reads vectors: neither files of images nor texts are that')
  inputs = _texts if run.method.spec.is_text else _images
  for names, rows in inputs(run, _files(places), left_out):
    for name, shares in zip(names, run.probabilities(rows), strict=True):
      print(_line(name, shares, run.classes, as_json=settings['json']), flush=True)
  return left_out


def _line(name: str, shares: np.ndarray, classes: Sequence[str], *, as_json: bool) -> str:
  best = int(shares.argmax())
  if as_json:
    every = {label: round(float(share), 6) for label, share in zip(classes, shares, strict=True)}
    return json.dumps({'file': name, 'label': classes[best], 'probabilities': every})
  return f'{classes[best]}  {shares[best]:.4f}  {name}'


def _files(places: Sequence[str]) -> list[Path]:
  """Returns all files, those below folders in order of name.

  Raises:
    UserError: There is no such file or folder, or a folder is empty.
  """
  files: list[Path] = []
  for place in map(Path, places):
    if not place.exists():
      raise UserError(f'no such file or folder: {place}')
    if not place.is_dir():
      files.append(place)
      continue
    below = sorted(path for path in place.rglob('*') if path.is_file())
    if not (shown := [path for path in below if not path.name.startswith('.')]):
      raise UserError(f'the folder {place} holds no files')
    files += shown
  return files


def _images(
  run: saved.Saved, files: Sequence[Path], left_out: list[str]
) -> Iterator[tuple[list[str], np.ndarray]]:
  """Yields names and uint8 images of the size that the network was trained on."""
  names, rows = [], []
  for path in files:
    try:
      rows.append(EncodedImages(Files([path]), *run.method.spec.input_shape, True).fetch([0])[0])
      names.append(str(path))
    except UserError as error:
      print(f'left out: {error}', file=sys.stderr)
      left_out.append(str(path))
    if len(rows) == ROWS:
      yield names, np.stack(rows)
      names, rows = [], []
  if rows:
    yield names, np.stack(rows)


def _texts(
  run: saved.Saved, files: Sequence[Path], left_out: list[str]
) -> Iterator[tuple[list[str], np.ndarray]]:
  """Yields names, FILE:LINE, and the tokens of the lines of all files."""
  tokenizer = text.wordpiece(text.minilm_vocabulary())
  for path in files:
    try:
      every = enumerate(path.read_text(encoding='utf-8').splitlines(), start=1)
    except (UnicodeDecodeError, OSError) as error:
      print(f'left out: {path} is no text ({error})', file=sys.stderr)
      left_out.append(str(path))
      continue
    lines = [(f'{path}:{number}', line) for number, line in every if line.strip()]
    for start in range(0, len(lines), ROWS):
      names, some = zip(*lines[start : start + ROWS], strict=True)
      yield list(names), tokenizer(some, run.method.spec.input_shape[0])


if __name__ == '__main__':
  sys.exit(main(sys.argv))
