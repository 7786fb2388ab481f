"""A run that is trained once for the tests that read finished runs: a second on embedded digits."""

import contextlib
import functools
import io
import tempfile

from experiments import common, digits

# It waits for each step: where cores are few, jax 0.10 lets convolutions of a later one take the
# threads that the devices of an earlier one need to meet.
FLAGS = (
  '--method=source_only --source=mnist_mini --target=sklearn_digits --image_size=16 '
  '--backbone=lenet --steps=60 --batch_size=32 --seeds=2 --log_every=1 --report=false'
)


@functools.cache
def folder() -> str:
  """Returns the folder of the finished run."""
  where = tempfile.mkdtemp(prefix='tlda-trained')
  with contextlib.redirect_stdout(io.StringIO()):  # Not among what a test reads.
    common.launch(digits.EXPERIMENT, ['digits', *FLAGS.split(), f'--workdir={where}/run'])
  return f'{where}/run'
