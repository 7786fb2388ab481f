"""What methods refuse: problems of one class, batches of one, and fields that make no sense."""

import dataclasses
from typing import Any

import pytest

from tests.problem import BATCH, domain, make_method
from tlda import methods
from tlda.errors import UserError
from tlda.methods import Method

TWO_CLASSES = [
  'aad',
  'adamatch',
  'atdoc',
  'bi_tuning',
  'bnm',
  'can',
  'cdan',
  'cdan_e',
  'cdann',
  'cotta',
  'bsp_cdan',
  'daan',
  'daln',
  'dirt_t',
  'eata',
  'fixmatch',
  'gvb',
  'information_maximization',
  'lame',
  'm3sda_beta',
  'mcc',
  'mcd',
  'mdd',
  'mean_teacher',
  'minimum_entropy',
  'mme',
  'mstn',
  'pseudo_label',
  'sdat',
  'self_tuning',
  'shot',
  'shot_im',
  'star',
  'swd',
  'symnets',
  't3a',
  'tent',
  'vada',
  'weight_average',
]
TWO_EXAMPLES = [
  'aad',
  'bnm',
  'cmd',
  'coral_across',
  'cotta',
  'dan',
  'deep_coral',
  'dsan',
  'eata',
  'fishr',
  'information_maximization',
  'jan',
  'jan_adversarial',
  'lame',
  'm3sda',
  'm3sda_beta',
  'mmd_across',
  'shot',
  'shot_im',
  'tent',
]
AT_LEAST_ONE = {
  'aad': ['neighbours'],
  'ba3us': ['passes'],
  'bi_tuning': ['keys_per_class', 'projection'],
  'bsp': ['singular_values'],
  'bss': ['singular_values'],
  'can': ['clusterings', 'members'],
  'cmd': ['moments'],
  'dan': ['kernels'],
  'deep_jdot': ['iterations'],
  'dirt_t': ['teachers'],
  'dsan': ['kernels'],
  'jan': ['kernels'],
  'lame': ['neighbours', 'iterations'],
  'm3sda': ['moments'],
  'm3sda_beta': ['moments', 'repeats'],
  'mcd': ['repeats'],
  'mixstyle': ['depth'],
  'mmd_across': ['kernels'],
  'sagnet': ['stage'],
  'self_tuning': ['keys_per_class', 'projection'],
  'shot': ['labellings'],
  'sinkhorn': ['iterations'],
  'swad': ['interval', 'converged', 'overfit'],
  'swd': ['projections', 'repeats'],
  't3a': ['supports'],
  'wdgrl': ['critic_steps'],
}
ABOVE_ZERO = {
  'afn': ['step', 'radius'],
  'bi_tuning': ['temperature'],
  'can': ['radius'],
  'co_tuning': ['temperature'],
  'cutmix': ['alpha'],
  'cmd': ['span'],
  'deep_jdot': ['regularization'],
  'dirt_t': ['radius'],
  'knowledge_distillation': ['temperature'],
  'lwf': ['temperature'],
  'mcc': ['temperature'],
  'mdan': ['sharpness'],
  'mixstyle': ['alpha'],
  'mixup': ['alpha'],
  'mixup_across': ['alpha'],
  'self_tuning': ['temperature'],
  'mme': ['temperature'],
  'sinkhorn': ['regularization'],
  'star': ['initial_deviation'],
  'swad': ['tolerance'],
  'vada': ['radius'],
}
NOT_NEGATIVE = {
  'aad': ['weight', 'decay'],
  'ba3us': ['entropy', 'complement', 'alpha'],
  'batch_norm_adaptation': ['prior'],
  'bi_tuning': ['weight'],
  'bss': ['weight'],
  'cdan': ['random_dimension'],
  'co_tuning': ['weight'],
  'delta': ['weight'],
  'coral_across': ['weight'],
  'eata': ['weight'],
  'fish': ['inner_rate'],
  'fishr': ['weight'],
  'group_dro': ['rate'],
  'irm': ['weight'],
  'knowledge_distillation': ['logits', 'features', 'attention'],
  'lwf': ['weight'],
  'm3sda': ['weight'],
  'm3sda_beta': ['weight'],
  'mldg': ['inner_rate', 'weight'],
  'mmd_across': ['weight'],
  'mme': ['weight'],
  'rotation': ['weight'],
  'sagnet': ['weight'],
  'sdat': ['rho'],
  'self_tuning': ['weight'],
  'shot': ['weight'],
  'spectral_decoupling': ['weight'],
  'vrex': ['weight'],
  'wdgrl': ['penalty'],
}
SHARES = {
  'adamatch': ['decay', 'memory', 'threshold'],
  'ba3us': ['lent'],
  'bi_tuning': ['momentum'],
  'cotta': ['decay', 'threshold', 'restore'],
  'eata': ['margin', 'redundancy', 'memory'],
  'eqrm': ['begin'],
  'fishr': ['begin', 'memory'],
  'fixmatch': ['decay', 'threshold'],
  'irm': ['begin'],
  'mean_teacher': ['decay', 'threshold'],
  'mixstyle': ['probability'],
  'mstn': ['memory'],
  'pseudo_label': ['threshold'],
  'rsc': ['examples', 'features'],
  'self_tuning': ['momentum'],
  'vrex': ['begin'],
  'weight_average': ['decay'],
}


def fields_of(table: dict[str, list[str]], *values: Any) -> list[tuple[str, str, Any]]:
  """Returns each method's name with each of its fields and each value."""
  return [
    (name, field, value) for name, fields in table.items() for field in fields for value in values
  ]


def make(name: str, **fields: Any) -> Method:
  domains = [domain(side, seed) for seed, side in enumerate(('left', 'right', 'middle'), 1)]
  return make_method(methods.get(name), *domains, **fields)


@pytest.mark.parametrize('name', methods.names())
def test_the_small_problem_suits_every_method(name: str) -> None:
  make(name).check(BATCH)


@pytest.mark.parametrize('name', TWO_CLASSES)
def test_one_class_is_refused(name: str) -> None:
  method = make(name)
  single = method.clone(spec=dataclasses.replace(method.spec, classes=1))
  with pytest.raises(UserError, match=f'{type(method).__name__} needs 2 classes or more, not 1'):
    single.check(BATCH)


@pytest.mark.parametrize('name', TWO_EXAMPLES)
def test_one_example_is_refused(name: str) -> None:
  with pytest.raises(UserError, match='needs 2 examples of each domain in a batch or more, not 1'):
    make(name).check(1)


@pytest.mark.parametrize(('name', 'field', 'value'), fields_of(AT_LEAST_ONE, 0))
def test_none_is_refused(name: str, field: str, value: int) -> None:
  with pytest.raises(UserError, match=f'{field} must be 1 or above, not 0'):
    make(name, **{field: value}).check(BATCH)


@pytest.mark.parametrize(('name', 'field', 'value'), fields_of(ABOVE_ZERO, 0.0, -1.0))
def test_what_is_not_above_zero_is_refused(name: str, field: str, value: float) -> None:
  with pytest.raises(UserError, match=f'{field} must be above 0, not {value}'):
    make(name, **{field: value}).check(BATCH)


@pytest.mark.parametrize(('name', 'field', 'value'), fields_of(NOT_NEGATIVE, -1))
def test_what_is_negative_is_refused(name: str, field: str, value: float) -> None:
  with pytest.raises(UserError, match=f'{field} must be 0 or above, not -1'):
    make(name, **{field: value}).check(BATCH)


@pytest.mark.parametrize(('name', 'field', 'value'), fields_of(SHARES, -0.1, 1.1, float('nan')))
def test_what_is_no_share_is_refused(name: str, field: str, value: float) -> None:
  with pytest.raises(UserError, match=f'{field} must be between 0 and 1, not {value}'):
    make(name, **{field: value}).check(BATCH)
