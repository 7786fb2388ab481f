"""Data sets that users fetch, on twins of their layout: what is read, in which order, and refused.

What a label must be is worked out in each test from how the twin was written.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.data import twins
from tlda import data
from tlda.data import images, office_home
from tlda.errors import UserError

FETCHED = ('svhn', 'office31/', 'office_home/', 'visda2017/', 'domainnet/', 'gtsrb', 'syn_signs')
NAMES = [name for name in data.names() if name.startswith(FETCHED)]
WHOLE = ('office31/webcam', 'office_home/art', 'visda2017/train', 'syn_signs')


def refused(name: str, root: Path, size: int | None = 4) -> str:
  """Returns the sentence by which a domain is refused."""
  with pytest.raises(UserError) as caught:
    data.load(name, root, size)
  said = str(caught.value)
  assert said.startswith((f'{name}: ', f'{name} '))
  assert '\n' not in said
  return said


@pytest.mark.parametrize('name', [*NAMES, *(f'{name}/all' for name in WHOLE)])
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
  said = refused(name, tmp_path)
  for part in ('is missing, looked for in', str(tmp_path), 'http', '; licence: '):
    assert part in said


def test_there_are_all_of_them() -> None:
  assert len(NAMES) == 1 + 3 + 4 + 2 + 6 + 1 + 1


def test_svhn(tmp_path: Path) -> None:
  twins.svhn(tmp_path)
  loaded = data.load('svhn', tmp_path)
  np.testing.assert_array_equal(loaded.train.labels, [1, 2, 0, 9, 5])
  np.testing.assert_array_equal(loaded.test.labels, [0, 7])
  assert loaded.train.labels.dtype == np.int32
  assert (loaded.train.inputs.shape, loaded.train.inputs.dtype) == ((5, 32, 32, 3), np.uint8)
  np.testing.assert_array_equal(loaded.train.inputs[:, 9, 9, 0], range(5))
  # Row 3, column 5, blue: no other axis was taken for another.
  np.testing.assert_array_equal(loaded.train.inputs[:, 3, 5, 2], range(200, 205))
  assert (loaded.train.inputs >= 200).sum() == 5
  assert loaded.classes == tuple('0123456789')
  assert data.load('svhn', tmp_path, 28).test.inputs.shape == (2, 28, 28, 3)


def test_what_is_no_svhn_is_refused(tmp_path: Path) -> None:
  twins.svhn(tmp_path)
  path = tmp_path / 'svhn' / 'test_32x32.mat'
  whole = path.read_bytes()
  for broken in (b'', b'none of MATLAB' * 20, whole[:300]):
    path.write_bytes(broken)
    assert 'test_32x32.mat is not a MATLAB file with X and y' in refused('svhn', tmp_path, None)
  pixels, digits = np.zeros((32, 32, 3, 2), np.uint8), np.array([[1], [10]])
  cases = [
    ({'X': pixels}, 'not a MATLAB file with X and y'),
    ({'X': pixels[:, :, :2], 'y': digits}, 'expected X uint8 (32, 32, 3, n) and y n integers'),
    ({'X': pixels, 'y': digits[:1]}, 'expected X uint8 (32, 32, 3, n) and y n integers'),
    ({'X': pixels, 'y': digits - 1}, 'are not 1 to 10'),
  ]
  for arrays, said in cases:
    scipy.io.savemat(path, arrays)
    assert said in refused('svhn', tmp_path, None)


def test_office31(tmp_path: Path) -> None:
  twins.office_31(tmp_path)
  whole, parts = (data.load(name, tmp_path, 4) for name in ('office31/dslr/all', 'office31/dslr'))
  assert whole.train is whole.test
  assert whole.train.inputs.shape == (155, 4, 4, 3)
  np.testing.assert_array_equal(whole.train.labels, np.repeat(np.arange(31), 5))
  reds = np.array([2 * label + number for label in range(31) for number in range(5)])
  np.testing.assert_array_equal(whole.train.inputs[:, 0, 0, 0], reds)
  np.testing.assert_array_equal(parts.test.inputs[:, 0, 0, 0], reds[4::5])
  np.testing.assert_array_equal(parts.test.labels, range(31))
  assert len(parts.train) == 124
  assert (whole.classes[0], whole.classes[2], whole.classes[30]) == (
    *('back_pack', 'bike_helmet', 'trash_can'),
  )
  assert 'give an image size' in _said('office31/dslr', tmp_path)


def _said(name: str, root: Path) -> str:
  with pytest.raises(UserError) as caught:
    data.load(name, root)
  return str(caught.value)


def test_large_sets_are_decoded_when_they_are_asked_for(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  twins.office_31(tmp_path)
  names = ('office31/amazon', 'office31/amazon/all')
  eager = [data.load(name, tmp_path, 4) for name in names]
  monkeypatch.setattr(images, 'EAGER_BYTES', 0)
  lazy = [data.load(name, tmp_path, 4) for name in names]
  for one, other in zip(lazy, eager, strict=True):
    assert not isinstance(one.train.inputs, np.ndarray)
    assert not isinstance(one.test.inputs, np.ndarray)
    assert (one.train.sha256, one.test.sha256) == (other.train.sha256, other.test.sha256)
  np.testing.assert_array_equal(lazy[0].test.fetch(np.array([3, 0]))[:, 0, 0, 0], [10, 4])
  grey = lazy[0].test.inputs.with_channels(1)
  assert grey.shape == (31, 4, 4, 1)
  # What is broken is said when it is asked for, and by the name of its file.
  folder = tmp_path / 'office31' / 'amazon' / 'images' / 'bike'
  bad = [folder / f'frame_{number:04}.png' for number in (1, 2)]
  for path in bad:
    path.write_bytes(b'none')
  late = data.load('office31/amazon', tmp_path, 4).train  # Rows 5 and 6.
  late.fetch(np.arange(5))
  for order in (1, -1):  # Several are decoded at once: the first in order is the one that is named.
    with pytest.raises(UserError, match=f'^{re.escape(str(bad[::order][0]))} is not a readable'):
      late.fetch(np.array([0, *[5, 6][::order], 1]))


def test_broken_class_folders(tmp_path: Path) -> None:
  twins.office_31(tmp_path, each=1)
  root = tmp_path / 'office31' / 'webcam' / 'images'
  (root / '.cache').mkdir()
  assert len(data.load('office31/webcam/all', tmp_path, 4).train) == 31
  assert 'too few examples to hold out a test set' in refused('office31/webcam', tmp_path)
  (root / 'pen').rename(root / 'pencil')
  assert f'the class folder pen is missing in {root}' in refused('office31/webcam', tmp_path)
  (root / 'pen').mkdir()
  assert 'webcam/images/pen is empty' in refused('office31/webcam', tmp_path)
  (root / 'pencil' / 'frame_0000.png').rename(root / 'pen' / 'frame_0000.png')
  assert 'webcam/images/pencil is the folder of no class' in refused('office31/webcam', tmp_path)


def test_office_home(tmp_path: Path) -> None:
  twins.office_home_styles(tmp_path, ('Clipart', 'Real World'))
  folder = tmp_path / 'office_home' / 'Real World'
  (folder / 'ToothBrush').rename(folder / 'Toothbrush')  # As some archives have it.
  loaded = data.load('office_home/real_world/all', tmp_path, 4)
  assert data.fit_together([data.load('office_home/clipart/all', tmp_path, 4)], loaded)
  np.testing.assert_array_equal(loaded.train.labels, range(65))
  np.testing.assert_array_equal(loaded.train.inputs[:, 1, 1, 0], range(0, 130, 2))
  assert len(set(loaded.classes)) == 65
  assert (loaded.classes[0], loaded.classes[60]) == ('Alarm_Clock', 'ToothBrush')
  assert set(office_home.FOLDERS.values()) == {'Art', 'Clipart', 'Product', 'Real World'}
  assert 'office_home/Art is missing' in refused('office_home/art', tmp_path)


def test_visda2017(tmp_path: Path) -> None:
  twins.visda(tmp_path)
  source, target = (data.load(f'visda2017/{x}/all', tmp_path, 4) for x in ('train', 'validation'))
  data.fit_together([source], target)
  np.testing.assert_array_equal(source.train.labels, np.repeat(np.arange(12)[::-1], 2))
  np.testing.assert_array_equal(source.train.inputs[:3, 0, 0, 0], [110, 111, 100])
  assert (source.classes[0], source.classes[6], source.classes[11]) == (
    *('aeroplane', 'motorcycle', 'truck'),
  )
  assert len(target.test) == 24


def test_domainnet(tmp_path: Path) -> None:
  twins.domain_net(tmp_path, 'quickdraw')
  loaded = data.load('domainnet/quickdraw', tmp_path, 4)
  np.testing.assert_array_equal(loaded.train.labels, range(5))
  np.testing.assert_array_equal(loaded.test.labels, [344, 327])
  assert len(set(loaded.classes)) == 345
  # As the authors number them: t-shirts are in painting_328_*.jpg with the label 327.
  assert [loaded.classes[label] for label in (0, 4, 300, 327, 344)] == [
    *('aircraft_carrier', 'angel', 'syringe', 't-shirt', 'zigzag')
  ]
  assert 'domainnet/real_train.txt is missing' in refused('domainnet/real', tmp_path)


def test_broken_lists(tmp_path: Path) -> None:
  twins.visda(tmp_path)
  path = tmp_path / 'visda2017' / 'validation' / 'image_list.txt'
  whole = path.read_text()
  first = 'truck/0_11.jpg'
  cases = [
    (whole.replace(first, 'truck/gone.jpg'), f'{path} names {path.parent}/truck/gone.jpg, which'),
    (whole.replace(f'{first} 11', f'{first} 12'), "gives 0_11.jpg the label '12', and classes go"),
    (whole.replace(f'{first} 11', f'{first} -1'), "gives 0_11.jpg the label '-1', and classes go"),
    (whole.replace(f'{first} 11', first), f"a line that is not a file and a label: '{first}'"),
    ('\n'.join(x for x in whole.splitlines() if 'knife' not in x), 'no image of the class knife'),
    ('', f'{path} names no image'),
  ]
  for text, said in cases:
    path.write_text(text)
    assert said in refused('visda2017/validation', tmp_path)
  path.write_bytes(b'\xff\xfe')
  assert 'is not a readable list' in refused('visda2017/validation', tmp_path)


def test_traffic_signs(tmp_path: Path) -> None:
  twins.syn_signs(tmp_path)
  twins.gtsrb(tmp_path)
  source, target = data.load('syn_signs/all', tmp_path, 4), data.load('gtsrb', tmp_path, 4)
  data.fit_together([source], target)
  np.testing.assert_array_equal(source.train.labels, range(42, -1, -1))
  np.testing.assert_array_equal(source.train.inputs[:, 0, 0, 0], range(43))
  np.testing.assert_array_equal(target.train.labels, np.repeat(np.arange(43), 2))
  np.testing.assert_array_equal(target.train.inputs[:, 0, 0, 0], range(86))
  np.testing.assert_array_equal(target.test.labels, range(43))
  np.testing.assert_array_equal(target.test.inputs[:, 0, 0, 0], range(100, 143))
  assert (target.classes[0], target.classes[42]) == ('00000', '00042')


def test_broken_tables_of_signs(tmp_path: Path) -> None:
  twins.gtsrb(tmp_path)
  path = tmp_path / 'gtsrb' / 'GT-final_test.csv'
  whole = path.read_text()
  cases = [
    (whole.replace('00007.ppm', '7.ppm'), 'Final_Test/Images/7.ppm, which is not there'),
    (whole.replace(';7\n', ';43\n'), "gives 00007.ppm the label '43', and classes go from 0 to 42"),
    (whole.replace(';7\n', '\n'), "gives 00007.ppm the label '', and classes go from 0 to 42"),
    (whole.replace('ClassId', 'Class'), 'is not a table with Filename and ClassId'),
    (whole.replace(';7\n', ';8\n'), 'gtsrb has no image of the class 00007'),
    (whole.splitlines()[0], 'names no image'),
  ]
  for text, said in cases:
    path.write_text(text)
    assert said in refused('gtsrb', tmp_path)
