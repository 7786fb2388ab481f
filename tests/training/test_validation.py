"""Validators in a run: what is scored, what chooses, and what labels of the target do to it."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.problem import BATCH, make_run
from tlda.data import Split
from tlda.errors import UserError
from tlda.evaluation import selection, validators
from tlda.methods import DANN, SourceOnly
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import Trainer
from tlda.training.logs import read
from tlda.training.parallel import Parallel
from tlda.training.run import Run, refuse, unscorable
from tlda.training.validation import Validation


def scored_run(folder: Path, **options: Any) -> Run:
  run = make_run(DANN, folder, images=False, seeds=(0, 1), steps=3)
  run = dataclasses.replace(run, validators=tuple(validators.names()), **options)
  return dataclasses.replace(run, eval_every=1, checkpoint_every=3, log_every=3)


def trained(run: Run) -> dict[str, Any]:
  trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  try:
    return trainer.run()
  finally:
    trainer.close()


def test_noise_for_labels_of_the_target_changes_no_score_and_no_choice(tmp_path: Path) -> None:
  honest = scored_run(tmp_path / 'honest', select='mixval')
  noise = lambda split: Split(split.inputs, (split.labels + 1 + np.arange(len(split)) % 2) % 3)
  target = honest.target
  target = dataclasses.replace(target, train=noise(target.train), test=noise(target.test))
  noisy = dataclasses.replace(honest, target=target, workdir=tmp_path / 'noisy')
  results = [trained(run) for run in (honest, noisy)]
  records = [read(run.workdir / 'metrics.jsonl') for run in (honest, noisy)]
  names = {f'validator/{name}' for name in validators.names()}
  for own, other in zip(*records, strict=True):
    assert names <= own.keys()
    measured = own.keys() - {'accuracy/target_test', 'examples_per_second'}
    assert {key: own[key] for key in measured} == {key: other[key] for key in measured}
    assert own['accuracy/target_test'] != other['accuracy/target_test']
  kept = [Checkpoints(run.workdir / 'selected').latest()[1] for run in (honest, noisy)]
  jax.tree.map(np.testing.assert_array_equal, *kept)

  (result, _), (own, _) = results, records
  assert result['selected'].keys() == {*selection.rules(), 'oracle'}
  assert result['rank_correlation'].keys() == selection.SCORES.keys()
  scores = np.array([record['validator/mixval'] for record in own])
  best = [max(range(3), key=lambda at: (scores[at, seed], at)) for seed in (0, 1)]
  assert kept[0]['step'].tolist() == [own[at]['step'] for at in best]
  accuracy = [own[at]['accuracy/target_test'][seed] for seed, at in enumerate(best)]
  assert result['selected']['mixval'] == accuracy


@pytest.mark.parametrize('images', [False, True], ids=['together', 'in turns'])
def test_what_validators_are_shown(images: bool, tmp_path: Path) -> None:
  """The network's outputs of the very examples, of each seed, those of all sources together."""
  run = make_run(SourceOnly, tmp_path, images=images, seeds=(0, 1), sources=2)
  run = dataclasses.replace(run, validators=('mixval', 'iwcv'), select='snd')
  trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  states = trainer._created()
  said: list[str] = []
  validation = Validation(run, trainer._evaluator, said.append)
  assert not said
  seen = validation._seen(states)
  assert seen['source_train_features'].shape == (2, 88, 12)
  assert seen['source_test_labels'].shape == (2, 42)
  assert sorted(seen['source_test_labels'][1]) == sorted(
    np.concatenate([source.test.labels for source in run.sources])
  )
  rows = validation._rows(run.target.train, 1024)
  assert sorted(rows) == list(range(44))
  for place in (0, 1):
    logits = seen['target_train_logits'][place]
    partners = validators.partners(logits.argmax(-1))
    np.testing.assert_array_equal(seen['target_train_partner_logits'][place], logits[partners])
    inputs = run.target.train.inputs[rows].astype(np.float64)
    mixed = 0.55 * inputs + 0.45 * inputs[partners]
    mixed = (np.round(mixed) if images else mixed).astype(run.target.train.inputs.dtype)
    outputs = trainer._evaluator.outputs(states, Split(mixed, np.zeros(44, np.int32)), 2)
    # Of images: halves may be rounded either way.
    np.testing.assert_allclose(
      seen['target_train_mixed_logits'][place], outputs.logits[place], atol=0.01 if images else 1e-5
    )
  assert validation.scores(states).keys() == {
    'validator/iwcv', 'validator/mixval', 'validator/snd'
  }  # fmt: skip


def test_what_cannot_be_scored_is_left_out_and_said(tmp_path: Path) -> None:
  run = scored_run(tmp_path)
  assert unscorable(run) == {}
  said: list[str] = []
  free = dataclasses.replace(run, sources=())
  left = Validation(free, None, said.append)  # type: ignore[arg-type]
  assert left._names == sorted({'bnm', 'class_confusion', 'corr_c', 'diversity', 'entropy',
    'information_maximization', 'mixval', 'snd'})  # fmt: skip
  (line,) = said
  assert 'source_risk (each measures the source, and its data are not there)' in line
  own = dataclasses.replace(run, sources=(run.target,))
  assert unscorable(own)['source_accuracy'] == 'measures the source, which is the target here'
  assert 'mixval' in unscorable(text(run))
  with pytest.raises(UserError, match='--select=mixval mixes inputs, and texts cannot be mixed'):
    refuse(dataclasses.replace(text(run), select='mixval'))
  with pytest.raises(UserError, match="'sdn': did you mean 'snd'"):
    refuse(dataclasses.replace(run, validators=('sdn',)))


def test_a_source_that_is_tested_on_what_it_trains_on_is_said(tmp_path: Path) -> None:
  run = scored_run(tmp_path)
  said: list[str] = []
  Validation(run, None, said.append)  # type: ignore[arg-type]
  assert not said
  (source,) = run.sources
  same = dataclasses.replace(run, sources=(dataclasses.replace(source, test=source.train),))
  Validation(same, None, said.append)  # type: ignore[arg-type]
  assert said == [
    'the source is tested on what it trains on: rules that see its labels see what was learned'
  ]
  blind = dataclasses.replace(same, validators=('entropy',))
  Validation(blind, None, said.append)  # type: ignore[arg-type]
  assert len(said) == 1


def text(run: Run) -> Run:
  spec = dataclasses.replace(run.method.spec, input_dtype='int32')
  return dataclasses.replace(run, method=run.method.clone(spec=spec))


def test_a_run_without_validators_scores_none(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  assert Validation(run, None, print).scores([]) == {}  # type: ignore[arg-type]
