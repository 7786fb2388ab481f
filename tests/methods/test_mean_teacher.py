"""The teacher: the average of its students, in training and in prediction."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe
from tlda.methods import MeanTeacher
from tlda.training import checkpoint


def test_the_teacher_is_the_moving_average_of_its_students(tmp_path: Path) -> None:
  here = probe(MeanTeacher, tmp_path, decay=0.6)
  teacher = {n: np.float64(x) for n, x in checkpoint.flatten(here.state.params).items()}
  for steps, decay in enumerate((0.5, 0.6, 0.6), 1):  # 1 - 1/2, then 1 - 1/3 is above the decay.
    state = here.train(steps)
    students = checkpoint.flatten(state.params)
    teacher = {n: decay * x + (1 - decay) * students[n] for n, x in teacher.items()}
    found = checkpoint.flatten(state.states['teacher']['params'])
    for name, expected in teacher.items():
      np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_teacher_predicts_with_statistics_of_the_target_alone(tmp_path: Path) -> None:
  here = probe(MeanTeacher, tmp_path)
  state = here.train()
  view = here.batch.target.views['weak/teacher']
  kernel = np.asarray(here.state.params['extractor']['Dense_0']['kernel'], np.float64)
  bias = np.asarray(here.state.params['extractor']['Dense_0']['bias'], np.float64)
  mean = (np.asarray(view).reshape(len(view), -1) @ kernel + bias).mean(axis=0)
  running = state.states['teacher']['batch_stats']['extractor']['Normalization_0']['mean']
  np.testing.assert_allclose(running, 0.1 * mean, rtol=1e-4, atol=1e-6)

  predicted = here.method.apply(state.variables, view, 1)
  by_hand = {**state.variables, **state.states['teacher']}
  expected = here.method.apply(by_hand, view, 1, method='forward', train=False)
  np.testing.assert_allclose(predicted.logits, expected.logits, rtol=1e-6)
  student = here.method.apply(state.variables, view, 1, method='forward', train=False)
  assert np.abs(np.asarray(student.logits - predicted.logits)).max() > 1e-3


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(MeanTeacher, tmp_path, threshold=0.4, class_balance=0.5)
  target = here.batch.target
  probabilities = lambda view: np.asarray(
    jax.nn.softmax(here.forward(target.views[view], target.domain).logits), np.float64
  )
  student, teacher = probabilities('weak'), probabilities('weak/teacher')  # Of equal weights yet.
  sure = teacher.max(axis=1) > 0.4
  assert 0 < sure.sum() < len(sure)
  mean = student.mean(axis=0)
  balance = -(np.log(mean) / 3 + 2 / 3 * np.log(1 - mean)).sum()
  terms = here.terms()
  consistency = 3 * (sure * ((student - teacher) ** 2).mean(axis=1)).mean()
  np.testing.assert_allclose(terms['consistency'], consistency, rtol=1e-4)
  np.testing.assert_allclose(terms['class_balance'], 3 * 0.5 * sure.mean() * balance, rtol=1e-5)


def test_no_gradient_reaches_the_teacher(tmp_path: Path) -> None:
  here = probe(MeanTeacher, tmp_path, threshold=0.0)

  def loss(teacher: object) -> jax.Array:
    return sum(here.but(teacher=teacher).terms().values())

  gradient = jax.grad(loss)(here.state.states['teacher'])
  assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))
