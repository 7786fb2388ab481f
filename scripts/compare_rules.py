"""Tells how well each selection rule chooses, over all finished runs: one table and one plot.

  python scripts/compare_rules.py                the runs beneath runs/tables
  python scripts/compare_rules.py --runs=FOLDER  those beneath another folder
  python scripts/compare_rules.py --draw         draws table and plot from the JSON again

Writes `experiments/results/rules.json`, `rules.md` and `rules.svg`. Runs that never learned from a
source (`target_only`) are passed over, and so are those that began with other validators.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tlda.errors import UserError  # noqa: E402
from tlda.report import files, rules  # noqa: E402

PLACE = ROOT / 'experiments' / 'results' / 'rules.json'
COMMAND = 'python scripts/compare_rules.py'


def compare(folder: Path, place: Path = PLACE) -> None:
  """Judges the rules by the runs beneath a folder, and writes JSON, Markdown and plot.

  Raises:
    UserError: There is no run that knows what validators would have chosen.
  """
  paths = sorted(folder.rglob('result.json'))
  # Streams at test time and shallow baselines have results too, and no step to select.
  found = [files.read_result(path) for path in paths if 'selected' in files.read_object(path)]
  judged = rules.judge([result for result in found if result['method'] != 'target_only'])
  place.write_text(json.dumps(judged, indent=1) + '\n', encoding='utf-8')
  draw(place)


def draw(place: Path = PLACE) -> None:
  """Draws the table and the plot of a JSON file, beside it."""
  judged = json.loads(place.read_text(encoding='utf-8'))
  place.with_suffix('.md').write_text(rules.markdown(judged, COMMAND), encoding='utf-8')
  place.with_suffix('.svg').write_text(rules.figure(judged), encoding='utf-8')


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit code."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('--runs', type=Path, default=Path('runs') / 'tables')
  parser.add_argument('--draw', action='store_true')
  parsed = parser.parse_args(argv)
  try:
    draw() if parsed.draw else compare(parsed.runs)
  except (UserError, OSError) as error:
    print(f'error: {error}', file=sys.stderr)
    return 2
  print(f'table: {PLACE.with_suffix(".md")}')
  return 0


if __name__ == '__main__':
  sys.exit(main())
