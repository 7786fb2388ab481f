"""What all tests share: eight virtual CPU devices, and where the real data lie."""

import os
from pathlib import Path

import jax
import pytest

# Before any device is touched: on these eight, every promise about several devices is tested.
jax.config.update('jax_num_cpu_devices', 8)

_BESIDE = Path(__file__).resolve().parents[2] / 'shared' / 'data'


@pytest.fixture(scope='session')
def data_dir() -> Path:
  """The folder of real benchmark data; a test that needs it is skipped where there is none."""
  path = Path(os.environ.get('TLDA_DATA_DIR') or _BESIDE)
  if not path.is_dir():
    pytest.skip('needs real data: set TLDA_DATA_DIR')
  return path
