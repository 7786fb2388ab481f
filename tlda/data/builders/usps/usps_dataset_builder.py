"""USPS for TFDS."""

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from tlda.data import usps
from tlda.data.builders import arrays


class Builder(tfds.core.GeneratorBasedBuilder):
  """USPS in the size of MNIST: 28x28x1 uint8 tensors, in the original order."""

  VERSION = tfds.core.Version('1.0.0')
  MANUAL_DOWNLOAD_INSTRUCTIONS = 'The raw file of the domain usps.'

  def _info(self) -> tfds.core.DatasetInfo:
    return arrays.info(
      self,
      channels=1,
      description=usps.__doc__,
      license=usps.LICENCE,
      homepage='https://web.stanford.edu/~hastie/StatLearnSparsity_files/DATA/zipcode.html',
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
    return arrays.generators(usps.load(dl_manager.manual_dir))

  def _generate_examples(self) -> None:
    """Not called: the splits hold their examples."""
