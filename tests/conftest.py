"""What all tests share: eight virtual CPU devices, and where the real data lie."""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Threads of OpenBLAS spin, and the tests share the cores.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

# Compiling is most of what the tests do; XLA reads this when JAX first touches a device.
os.environ['XLA_FLAGS'] = os.environ.get('XLA_FLAGS', '') + ' --xla_backend_optimization_level=0'

# A program that two tests need is compiled once, whichever processes they run in: those that share
# the tests inherit this from the first, and so do those that a test starts.
if 'PYTEST_XDIST_WORKER' not in os.environ:
  _CACHE = tempfile.TemporaryDirectory(prefix='tlda-tests-')
  os.environ['JAX_COMPILATION_CACHE_DIR'] = _CACHE.name
  os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0.05'
  os.environ['JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES'] = '-1'

import jax
import pytest

from tests import memory

# What JAX traced stays, and there is much of it: it is searched for garbage less often.
gc.set_threshold(50_000, 20, 100)

# Before any device is touched: on these eight, every promise about several devices is tested.
jax.config.update('jax_num_cpu_devices', 8)

_BESIDE = Path(__file__).resolve().parents[2] / 'shared' / 'data'


@pytest.fixture(autouse=True, scope='module')
def _bounded_memory() -> Iterator[None]:
  yield
  memory.bound()


@pytest.fixture(scope='session')
def data_dir() -> Path:
  """The folder of real benchmark data; a test that needs it is skipped where there is none."""
  path = Path(os.environ.get('TLDA_DATA_DIR') or _BESIDE)
  if not path.is_dir():
    # Where it was said, or lies beside a checkout by agreement, missing data is no reason to skip.
    if 'TLDA_DATA_DIR' in os.environ:
      pytest.fail(f'TLDA_DATA_DIR={path} is no folder')
    pytest.skip('needs real data: set TLDA_DATA_DIR')
  return path
