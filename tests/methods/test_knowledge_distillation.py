"""Knowledge distillation: its terms by hand, and a teacher that stays as it is."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import Probe, probe, same, softmax
from tests.problem import CLASSES, domain, make_method, make_run
from tlda.errors import UserError
from tlda.methods import (
  Batch,
  Context,
  Examples,
  KnowledgeDistillation,
  MeanTeacher,
  Method,
  TargetOnly,
  Teacher,
)
from tlda.methods.initialization import prediction_variables
from tlda.models import Linear
from tlda.models.backbones import LeNet, MNISTNet
from tlda.training import checkpoint
from tlda.training.fit import Trainer


def network(cls: type[Method] = TargetOnly, **fields: Any) -> Method:
  return make_method(cls, domain('left', 1), domain('right', 2), **fields)


def distilled(folder: Path, **fields: Any) -> Probe:
  return probe(KnowledgeDistillation, folder, **fields)


def taught(here: Probe) -> Any:
  """Returns what the teacher says, by its own prediction path."""
  teacher = here.method.teacher
  variables = here.state.states['teacher']
  return teacher.network.apply(variables, here.batch.target.inputs, teacher.domain)


def test_terms_by_hand(tmp_path: Path) -> None:
  here = distilled(tmp_path, logits=0.5, features=0.25, temperature=3.0)
  (student,), teacher = here.outputs(), taught(here)
  own, wanted = (softmax(np.asarray(x.logits) / 3) for x in (student, teacher))
  expected = 0.5 * 9 * (wanted * np.log(wanted / own)).sum(axis=1).mean()
  terms = here.terms()
  np.testing.assert_allclose(terms['logits'], expected, rtol=1e-4)
  regressor = here.state.params['regressor']
  hint = np.asarray(student.features, np.float64) @ regressor['kernel'] + regressor['bias']
  expected = 0.25 * ((hint - teacher.features) ** 2).mean() / 2
  np.testing.assert_allclose(terms['features'], expected, rtol=1e-4)
  assert terms.keys() == {'task', 'logits', 'features'}


def test_the_teacher_never_moves_and_gets_no_gradient(tmp_path: Path) -> None:
  here = distilled(tmp_path)
  start = jax.tree.map(np.array, here.state.states['teacher'])
  assert same(here.train(2).states['teacher'], start)

  def value(held: Any) -> jax.Array:
    state = here.state.replace(states={**here.state.states, 'teacher': held})
    return sum(dataclasses.replace(here, state=state).terms().values())

  gradient = jax.grad(value)(start)
  assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))


def test_a_teacher_sees_inputs_as_it_was_trained(tmp_path: Path) -> None:
  plain = distilled(tmp_path)
  other = distilled(tmp_path / 'b', teacher=Teacher(network(), (2.0,), (0.5,)))
  variables, inputs = other.state.states['teacher'], other.batch.target.inputs
  found, _ = other.method.teacher(variables, inputs)
  expected = other.method.teacher.network.apply(variables, 2 * inputs + 0.5, 0)
  np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-5, atol=1e-6)
  assert not np.allclose(found.logits, taught(plain).logits, atol=1e-3)


def test_a_teacher_predicts_as_its_method_does(tmp_path: Path) -> None:
  """A mean teacher by its average, which is another network than the student beside it."""
  here = distilled(tmp_path, teacher=Teacher(network(MeanTeacher), domain=1))
  held = dict(here.state.states['teacher'])
  held['params'] = jax.tree.map(jnp.zeros_like, held['params'])
  found, stages = here.method.teacher(held, here.batch.target.inputs)
  assert np.abs(np.asarray(found.logits)).max() > 1e-3
  assert stages == {}


def test_attention_pairs_stages_from_the_last_on_and_resizes(tmp_path: Path) -> None:
  rng = np.random.default_rng(0)
  inputs = jnp.asarray(rng.normal(size=(2, 28, 28, 1)), jnp.float32)
  spec = dataclasses.replace(network().spec, input_shape=(28, 28, 1))
  made = lambda cls, extractor, **fields: cls(
    spec=spec, task=network().task, extractor=extractor, head=Linear(CLASSES), **fields
  )
  teacher = Teacher(made(TargetOnly, LeNet()))
  student = made(KnowledgeDistillation, MNISTNet(), teacher=teacher, logits=0.0, attention=1.0)
  rows = jnp.arange(2)
  batch = Batch(target=Examples(inputs, rows, rows, jnp.ones(2, jnp.int32), labels=rows))
  variables = {**prediction_variables(student), 'teacher': teacher.variables()}
  terms, _ = student.apply(
    variables,
    batch,
    Context(np.int32(0), np.int32(0), 4),
    method='objective',
    mutable=['intermediates'],
  )

  def energy(extractor: Any, params: Any, number: int) -> np.ndarray:
    _, sown = extractor.apply({'params': params}, inputs, mutable=['intermediates'])
    return np.asarray(sown['intermediates'][f'stage{number}'][-1], np.float64)

  expected = 0.0
  for number in (1, 2):
    own = energy(MNISTNet(), variables['params']['extractor'], number)
    other = energy(LeNet(), variables['teacher']['params']['extractor'], number)
    size = min(own.shape[1], other.shape[1])
    maps = [jax.image.resize(x, (2, size, size, x.shape[-1]), 'linear') for x in (own, other)]
    unit = [(np.asarray(x) ** 2).sum(axis=3).reshape(2, -1) for x in maps]
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in unit]
    expected += ((unit[0] - unit[1]) ** 2).sum(axis=1).mean()
  np.testing.assert_allclose(terms['attention'], expected, rtol=1e-4)


def test_attention_without_positions_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='attention needs stages with positions'):
    distilled(tmp_path, attention=1.0)


@pytest.mark.parametrize(
  ('change', 'sentence'),
  [
    ({'classes': 7}, 'the teacher knows 7 classes, and there are 3'),
    ({'input_shape': (9, 8, 1)}, 'the teacher sees inputs of 9x8x1, and these are 8x8x1'),
  ],
)
def test_a_teacher_of_another_problem_is_refused(change: dict[str, Any], sentence: str) -> None:
  other = network()
  other = other.clone(spec=dataclasses.replace(other.spec, **change))
  with pytest.raises(UserError, match=sentence):
    network(KnowledgeDistillation, teacher=Teacher(other)).check(16)


def test_no_teacher_is_refused() -> None:
  with pytest.raises(UserError, match='needs a teacher: .*--teacher'):
    network(KnowledgeDistillation, teacher=None).check(16)


def test_a_run_is_given_its_teacher(tmp_path: Path) -> None:
  """What is given takes the place of the draw, seed by seed, and nothing else changes."""
  run = make_run(KnowledgeDistillation, tmp_path / 'a', seeds=(0, 1))
  drawn = [checkpoint.flatten(state) for state in Trainer(run)._created()]
  name = 'states.teacher.params.head.logits.kernel'
  kernels = np.arange(2 * 12 * CLASSES, dtype=np.float32).reshape(2, 12, CLASSES)
  given = dataclasses.replace(run, workdir=tmp_path / 'b', given={name: kernels})
  for seed, state in enumerate(Trainer(given)._created()):
    found = checkpoint.flatten(state)
    np.testing.assert_array_equal(found[name], kernels[seed])
    for other in found.keys() - {name}:
      np.testing.assert_array_equal(found[other], drawn[seed][other], err_msg=other)
