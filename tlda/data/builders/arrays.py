"""What the builders share: a domain of ours, written as TFDS examples."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from tlda.data.domains import Domain, Split


def info(builder: tfds.core.DatasetBuilder, channels: int, **about: str) -> tfds.core.DatasetInfo:
  """Describes 28x28 digits.

  Args:
    builder: The builder.
    channels: 1 or 3.
    **about: Description, homepage, citation, licence.

  Returns:
    What TFDS writes beside the data.
  """
  # A Tensor, not an Image: encoding an Image would need TensorFlow.
  image = tfds.features.Tensor(shape=(28, 28, channels), dtype=np.uint8)
  features = {'image': image, 'label': tfds.features.ClassLabel(num_classes=10)}
  return builder.dataset_info_from_configs(
    features=tfds.features.FeaturesDict(features),
    supervised_keys=('image', 'label'),
    disable_shuffling=True,  # An example keeps its number.
    **about,
  )


def generators(domain: Domain) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
  """Returns the examples of `train` and `test` with their numbers as keys."""
  return {'train': _examples(domain.train), 'test': _examples(domain.test)}


def _examples(split: Split) -> Iterator[tuple[int, dict[str, Any]]]:
  for number, (image, label) in enumerate(zip(split.inputs, split.labels, strict=True)):
    yield number, {'image': image, 'label': int(label)}
