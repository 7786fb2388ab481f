"""The numbers: what was measured, how it was chosen, and what the paper says."""

from collections.abc import Callable, Sequence
from typing import Any

from tlda.evaluation.metrics import mean_and_std
from tlda.evaluation.selection import ORACLE
from tlda.report import text
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import parts, selection

_Column = tuple[str, Callable[[Run], str]]
_NOTE = (
  'Accuracy in percent on the test examples, mean ± sample standard deviation over seeds. The '
  'number of a run is that of its last step. The oracle takes the step with the best target test '
  'accuracy: it uses target labels, so it is an upper bound and no result.'
)


def section(runs: Sequence[Run]) -> Markup:
  """Returns the table of results."""
  columns = _columns(runs)
  rows = [
    [parts.run_name(runs, place), *(cell(run) for _, cell in columns)]
    for place, run in enumerate(runs)
  ]
  several = any(len(run.result['seeds']) > 1 for run in runs)
  kind = f'numbers{" spreads" * several}'
  table = parts.table(['Method', *(head for head, _ in columns)], rows, class_=kind)
  note = element('p', _NOTE, class_='note')
  return parts.section('Results', table, note, *_references(runs), *selection.content(runs))


def _columns(runs: Sequence[Run]) -> list[_Column]:
  """Returns each column's head, and what makes its cell of a run."""
  columns: list[_Column] = [
    (
      _head('Target test', 'last step'),
      lambda run: element('strong', parts.number(run.result['accuracy']['target_test'])),
    )
  ]
  if any('h_score' in run.result for run in runs):
    head = _head('H-score', 'known and unknown')
    columns.append(
      (head, lambda run: parts.number((run.result.get('h_score') or {}).get('target_test')))
    )
  if any(map(_published, runs)):
    columns += [('Published', _printed), (_head('Difference', 'points'), _gap)]
  if any(ORACLE in _selected(run) for run in runs):
    head = _head('Oracle', 'uses target labels')
    columns.append((head, lambda run: parts.number(_selected(run).get(ORACLE), 'oracle')))
  if any('source_test' in run.result['accuracy'] for run in runs):
    columns += _of_sources(runs[0].result['source'])
  columns.append(('Seeds', lambda run: str(len(run.result['seeds']))))
  return columns


def _of_sources(names: Sequence[str]) -> list[_Column]:
  """Returns the columns of the source; of several their mean, each of them, and the worst."""
  mean = lambda run: parts.number(run.result['accuracy'].get('source_test'))
  if len(names) == 1:
    return [('Source test', mean)]
  of = lambda name: lambda run: parts.number(run.result['accuracy'].get(f'{name}_test'))
  each: list[_Column] = [(_head(text.short(name), 'source test'), of(name)) for name in names]
  return [(_head('Source test', 'mean of all'), mean), *each, ('Worst source', _worst)]


def _worst(run: Run) -> Markup:
  """Returns the accuracy of each seed's worst source, and which those are."""
  worst = run.result.get('worst_source')
  if not worst:
    return parts.number(None)
  names = dict.fromkeys(map(text.short, worst['name']))
  return join(parts.number(worst['accuracy']), element('small', ', '.join(names)))


def _head(title: str, remark: str) -> Markup:
  """Returns a column's head with a remark under it."""
  return join(title, element('small', remark))


def _selected(run: Run) -> dict[str, list[float]]:
  """Returns what each selection rule gives."""
  return run.result.get('selected') or {}


def _published(run: Run) -> dict[str, Any] | None:
  """Returns the published number, where there is one."""
  return run.result.get('published')


def _printed(run: Run) -> str:
  """Returns the published number."""
  published = _published(run)
  return text.percent(published['value']) if published else '–'


def _gap(run: Run) -> str:
  """Returns how far the run's mean is from the published number."""
  published = _published(run)
  mean, _ = mean_and_std(run.result['accuracy']['target_test'])
  return text.difference(mean - published['value']) if published else '–'


def _references(runs: Sequence[Run]) -> list[Markup]:
  """Says where the published numbers stand, each reference once."""
  sentences: dict[str, list[str]] = {}
  for run in runs:
    if published := _published(run):
      sentence = published['reference']
      sentence += f'. {published["note"]}' if published.get('note') else ''
      sentences.setdefault(sentence, []).append(run.label)
  return [
    element('p', f'Published ({", ".join(labels)}): {sentence}', class_='note')
    for sentence, labels in sentences.items()
  ]
