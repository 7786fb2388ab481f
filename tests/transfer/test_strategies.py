"""What every transfer strategy must satisfy (found by its export), and what each is about."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.problem import BATCH, SmallExtractor, make_run
from tlda import methods, transfer
from tlda.errors import UserError
from tlda.training.fit import Trainer, fit
from tlda.training.parallel import Parallel
from tlda.transfer.strategy import Leaf, locator, path_of

STEPS = 4
LAYERS = SmallExtractor().layers
# Settings that say something of a network of two layers and of four steps.
SETTINGS: dict[str, dict[str, Any]] = {
  'freeze': {'up_to': 'Normalization_0'},
  'gradual_unfreezing': {'groups': 2, 'until': 0.75},
}
LOCATE = locator(LAYERS)
# One that freezes, one that reads the step, one with a state, and one that changes the network:
# others are functions of a leaf alone.
STATEFUL = ('freeze', 'gradual_unfreezing', 'l2_sp', 'stoch_norm')
EIGHT = ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
EIGHT_LAYERS = tuple((name,) for name in EIGHT)


def make(name: str) -> transfer.Strategy:
  return transfer.get(name)(**SETTINGS.get(name, {}))


def leaf(path: str, layers: Any = LAYERS) -> Leaf:
  return locator(layers)(path)


def flat(tree: Any) -> dict[str, np.ndarray]:
  return {path_of(keys): np.asarray(x) for keys, x in jax.tree_util.tree_leaves_with_path(tree)}


def train(run: Any, devices: int = 1, style: str = 'pmap') -> list[dict[str, np.ndarray]]:
  """Returns the parameters before each step and after the last."""
  trainer = Trainer(run, Parallel(style, BATCH, jax.devices()[:devices]))
  states = trainer._created()
  seen = [flat(states[0].params)]
  for feed in trainer._inputs.feeds(run.seeds, 0, run.steps):
    states, _ = trainer._train(states, feed)
    seen.append(flat(states[0].params))
  return seen


@pytest.fixture(params=transfer.names())
def name(request: pytest.FixtureRequest) -> str:
  return request.param


@pytest.fixture
def frozen_statistics(name: str) -> dict[str, Any]:
  mode = make(name).normalization or 'joint'
  return {'extractor': SmallExtractor(mode)}


def test_what_does_not_move_stays_bitwise_and_costs_no_optimizer_memory(
  name: str, tmp_path: Path, frozen_statistics: dict[str, Any]
) -> None:
  strategy = make(name)
  run = make_run(methods.DANN, tmp_path, strategy=strategy, **frozen_statistics)
  trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  kept = flat(trainer._created()[0].optimizer)
  seen = train(run)
  for path, first in seen[0].items():
    place = LOCATE(path)
    held = [key for key in kept if path.partition('/')[2] in key]
    assert bool(held) == strategy.moves(place), path
    for step in range(STEPS):
      stays = not strategy.moves(place) or strategy.rate(place, np.float32(step / STEPS)) == 0
      if stays:
        np.testing.assert_array_equal(seen[step + 1][path], seen[step][path], err_msg=path)
    moved = any((after[path] != first).any() for after in seen[1:])
    assert moved == strategy.moves(place), path


@pytest.mark.parametrize('name', STATEFUL, indirect=True)
def test_eight_devices_and_one_agree(
  name: str, tmp_path: Path, frozen_statistics: dict[str, Any]
) -> None:
  # Several phases once, where the strategy reads the step: they are what takes long to compile.
  phases = name == 'gradual_unfreezing'
  method, fields = (methods.MCD, {'repeats': 2}) if phases else (methods.DANN, {})
  make_one = lambda folder: make_run(
    method, tmp_path / folder, strategy=make(name), **fields, **frozen_statistics
  )
  one, eight = train(make_one('1')), train(make_one('8'), 8, 'shard_map')
  for path in one[-1]:
    np.testing.assert_allclose(one[-1][path], eight[-1][path], rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize('name', STATEFUL, indirect=True)
def test_a_run_goes_on_bit_for_bit(
  name: str, tmp_path: Path, frozen_statistics: dict[str, Any]
) -> None:
  make_one = lambda folder: make_run(
    methods.SourceOnly,
    tmp_path / folder,
    strategy=make(name),
    optimizer='adam',
    seeds=(0, 1),
    **frozen_statistics,
  )
  whole = fit(make_one('whole'))
  part = Trainer(make_one('cut'))
  part._after = _stop_after_two(part, part._after)
  with pytest.raises(KeyboardInterrupt):
    part.run()
  part.close()
  resumed = fit(make_one('cut'))
  assert resumed['accuracy'] == whole['accuracy']
  states = [Trainer(make_one(folder))._start()[0] for folder in ('whole', 'cut')]
  jax.tree.map(np.testing.assert_array_equal, *states)


def _stop_after_two(trainer: Trainer, after: Any) -> Any:
  def stop(step: int, *rest: Any) -> None:
    after(step, *rest)
    if step == 2:
      raise KeyboardInterrupt

  return stop


def test_docstrings_name_every_field_and_a_paper_or_reason(name: str) -> None:
  kind = transfer.get(name)
  doc = inspect.getdoc(kind) or ''
  assert doc and not doc.startswith(f'{kind.__name__}(')
  for field in dataclasses.fields(kind):
    assert f'{field.name}:' in doc, field.name


def test_places_are_read_from_paths() -> None:
  assert leaf('extractor/Dense_0/kernel').depth == 0
  assert leaf('extractor/backbone/Dense_1/bias').depth == 1
  assert leaf('extractor/backbone/backbone/Dense_1/bias').depth == 1
  for path in ('extractor/dense/kernel', 'head/Dense_0/kernel', 'domain_classifier/Dense_1/bias'):
    assert leaf(path).is_new
  assert not leaf('extractor/Dense_0/kernel').is_new


def rates(strategy: transfer.Strategy, progress: float) -> list[float]:
  """The rates of eight layers, and of the head."""
  paths = [f'extractor/backbone/{name}/kernel' for name in EIGHT] + ['head/logits/kernel']
  places = [leaf(path, EIGHT_LAYERS) for path in paths]
  return [float(strategy.rate(place, np.float32(progress))) for place in places]


def test_layer_decay_is_a_power_of_the_distance_to_the_head() -> None:
  halved = rates(transfer.LayerDecay(decay=0.5), 0.3)
  assert halved == [1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]
  paired = rates(transfer.LayerDecay(decay=0.5, groups=4), 0.3)
  assert paired == [1 / 16, 1 / 16, 1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 2, 1 / 2, 1]


def test_discriminative_divides_by_2_6() -> None:
  low, *_, top, new = rates(transfer.Discriminative(), 0.0)
  np.testing.assert_allclose([low, top, new], [2.6**-3, 1 / 2.6, 1], rtol=1e-6)


@pytest.mark.parametrize(
  ('progress', 'moving'), [(0, 1), (0.124, 1), (0.125, 3), (0.25, 5), (0.375, 7), (0.5, 9), (1, 9)]
)
def test_gradual_unfreezing_opens_group_by_group(progress: float, moving: int) -> None:
  strategy = transfer.GradualUnfreezing(groups=4, until=0.5)
  assert rates(strategy, progress) == [0] * (9 - moving) + [1] * moving


def test_gradual_unfreezing_layer_by_layer() -> None:
  strategy = transfer.GradualUnfreezing(groups=0, until=0.8)
  assert rates(strategy, 0.1) == [0] * 7 + [1] * 2
  assert rates(strategy, 0.75) == [0] + [1] * 8


def test_lp_ft_probes_first() -> None:
  strategy = transfer.LPFT(probe=0.25, backbone_rate=0.5)
  assert rates(strategy, 0.2) == [0] * 8 + [1]
  assert rates(strategy, 0.25) == [0.5] * 8 + [1]


@pytest.mark.parametrize(
  ('optimizer', 'wanted'), [('adam', [1, 1]), ('adamw', [2, 2]), ('sgd', [2, 3])]
)
def test_what_waited_begins_as_if_training_began(optimizer: str, wanted: list[float]) -> None:
  """By hand, for a gradient of 1, a weight of 2, its decay of .5 (of AdamW apart), momentum .5.

  Adam divides a gradient that stays by its size, AdamW adds the decay of .5 * 2 to that, and SGD
  takes 2, then 2 + .5 * 2.
  """
  strategy = transfer.LPFT(probe=0.5, backbone_rate=1.0)
  schedule = transfer.schedule('constant', 1.0, 8)
  made = transfer.optimizer(
    optimizer, schedule, 8, momentum=0.5, weight_decay=0.5, strategy=strategy, layers=LAYERS
  )
  params = {'extractor': {'Dense_0': {'kernel': np.full(1, 2, np.float32)}}}
  state, updates = made.init(params), []
  for step in range(6):
    grads = jax.tree.map(np.ones_like, params)
    found, state = made.update(grads, state, params, step=step)
    updates.append(-float(found['extractor']['Dense_0']['kernel'][0]))
  assert updates[:4] == [0] * 4
  np.testing.assert_allclose(updates[4:], wanted, rtol=1e-5)


def test_fine_tuning_with_a_slower_backbone() -> None:
  assert rates(transfer.FineTune(backbone_rate=0.5), 0.9) == [0.5] * 8 + [1]


def test_bitfit_moves_biases() -> None:
  strategy = transfer.BitFit()
  assert strategy.moves(leaf('extractor/Dense_0/bias'))
  assert not strategy.moves(leaf('extractor/Dense_0/kernel'))
  assert strategy.moves(leaf('head/logits/kernel'))


def test_l2_sp_adds_the_gradient_of_both_penalties() -> None:
  """By hand: alpha (w - w0) on the backbone, beta v on the head."""
  change = transfer.L2SP(alpha=0.5, beta=0.25).penalty(LOCATE)
  start = {'extractor': {'Dense_0': {'bias': np.array([1.0, 2.0])}}, 'head': np.array([4.0])}
  state = change.init(start)
  now = {'extractor': {'Dense_0': {'bias': np.array([3.0, 2.0])}}, 'head': np.array([8.0])}
  zero = jax.tree.map(np.ones_like, now)
  grads, _ = change.update(zero, state, now)
  np.testing.assert_array_equal(grads['extractor']['Dense_0']['bias'], [2.0, 1.0])
  np.testing.assert_array_equal(grads['head'], [3.0])


def test_freezing_by_pattern_and_by_layer() -> None:
  by_name = transfer.Freeze(pattern='bias$')
  assert not by_name.moves(leaf('head/logits/bias'))
  assert by_name.moves(leaf('extractor/Dense_0/kernel'))
  up_to = transfer.Freeze(up_to='c')
  frozen = [not up_to.moves(leaf(f'extractor/{name}/kernel', EIGHT_LAYERS)) for name in EIGHT]
  assert frozen == [True] * 3 + [False] * 5
  assert up_to.moves(leaf('head/c/kernel', EIGHT_LAYERS))


def test_settings_that_fit_nothing_are_refused_with_the_nearest_name() -> None:
  leaves = [leaf('extractor/Dense_0/kernel'), leaf('head/logits/kernel')]
  for strategy, words in (
    (transfer.Freeze(pattern='Dence_0'), "did you mean 'Dense_0'"),
    (transfer.Freeze(up_to='Dense_2'), "did you mean 'Dense_"),
    (transfer.Freeze(pattern='('), 'no regular expression'),
    (transfer.Freeze(), 'freezes nothing'),
    (transfer.LayerDecay(decay=1.5), 'in \\(0, 1\\]'),
    (transfer.LayerDecay(groups=-1), '0 or above'),
    (transfer.GradualUnfreezing(groups=-1), '0 or above'),
    (transfer.GradualUnfreezing(until=2.0), 'in \\[0, 1\\]'),
    (transfer.LPFT(probe=-0.1), 'in \\[0, 1\\]'),
  ):
    with pytest.raises(UserError, match=words):
      strategy.check(leaves)
  with pytest.raises(UserError, match="did you mean 'linear_probe'"):
    transfer.get('linear_prob')


def test_frozen_layers_cost_no_gradient(tmp_path: Path) -> None:
  """A probe's compiled step has fewer operations than full fine-tuning's: no backward pass."""

  def flops(strategy: transfer.Strategy, folder: str) -> float:
    run = make_run(methods.SourceOnly, tmp_path / folder, strategy=strategy)
    trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
    state = trainer._created()[0]
    feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
    step = lambda state: trainer._step(state, trainer._inputs.arrays, feed)
    return jax.jit(step).lower(state).compile().cost_analysis()['flops']

  probe, whole = flops(transfer.LinearProbe(), 'probe'), flops(transfer.FineTune(), 'whole')
  forward = 2 * BATCH * (64 * 16 + 16 * 12)  # Multiplications and additions of both dense layers.
  assert whole - probe > forward  # Both weight gradients, and one input gradient.
