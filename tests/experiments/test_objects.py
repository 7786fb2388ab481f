"""The benchmarks of objects that users fetch: what they follow, what they print; a short run."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from experiments import common, digits, office31, protocol
from tests.data import twins
from tlda.data import protocols

NAMES = ('office31', 'office_home', 'visda2017', 'domainnet')
SAID = {'source only': 'source_only'}


@pytest.mark.parametrize('name', NAMES)
def test_each_follows_the_protocol_of_its_name(name: str) -> None:
  own = importlib.import_module(f'experiments.{name}')
  flags = {**common.DEFAULTS, **own.EXPERIMENT.defaults, 'experiment': name}
  for source, target in own.PAIRS:
    assert protocol.settled('mine', {**flags, 'source': source, 'target': target}) == name
  assert len(own.TABLE) == len(set(own.TABLE)) == len(own.EXPERIMENT.published)


@pytest.mark.parametrize('name', NAMES)
def test_printed_means_are_those_of_the_columns(name: str) -> None:
  own = importlib.import_module(f'experiments.{name}')
  values: dict[str, list[float]] = {}
  for (_, _, _, method), number in own.EXPERIMENT.published.items():
    values.setdefault(method, []).append(100 * number['value'])
  line = re.search(r'\n  (source only .*)\n', own.__doc__)[1]
  printed = {
    SAID.get(word, word.lower()): float(number)
    for word, number in re.findall(r'([a-zA-Z ]+?) ([\d.]+)(?:, |$)', line)
  }
  assert printed.keys() == values.keys()
  for method, number in printed.items():
    np.testing.assert_allclose(np.mean(values[method]), number, atol=0.1)  # They round twice.


def test_digits_have_the_rows_of_their_protocols() -> None:
  found = {key: row['value'] for key, row in digits.EXPERIMENT.published.items()}
  assert len(found) == 9
  assert found['digits/svhn', 'svhn', 'mnist', 'dann'] == 0.7385
  assert found['signs/dann2016', 'syn_signs/all', 'gtsrb', 'target_only'] == 0.998
  for name, source, target, _ in found:
    assert (source, target) in protocols.get(name).pairs


def test_a_short_run_on_the_twin(tmp_path: Path) -> None:
  twins.office_31(tmp_path, each=1)
  flags = (
    '--method=source_only --backbone=mlp --weights= --image_size=32 --protocol=custom/twin '
    '--steps=2 --batch_size=8 --eval_every=2 --checkpoint_every=2 --validators=none --noreport '
    f'--augment=none --data_dir={tmp_path} --workdir={tmp_path}/run'
  )
  result = common.launch(office31.EXPERIMENT, ['office31', *flags.split()])
  assert (result['source'], result['target']) == (['office31/amazon/all'], 'office31/webcam/all')
  assert result['data']['office31/webcam/all']['examples'] == {'train': 31, 'test': 31}
  assert 0 <= result['accuracy']['target_test'][0] <= 1
