"""A run that is trained once for the tests that read finished runs: a second on embedded digits."""

import functools
import tempfile

from experiments import common, digits

FLAGS = (
  '--method=source_only --source=mnist_mini --target=sklearn_digits --image_size=16 '
  '--backbone=lenet --steps=60 --batch_size=32 --seeds=2 --report=false'
)


@functools.cache
def folder() -> str:
  """Returns the folder of the finished run."""
  where = tempfile.mkdtemp(prefix='tlda-trained')
  common.launch(digits.EXPERIMENT, ['digits', *FLAGS.split(), f'--workdir={where}/run'])
  return f'{where}/run'
