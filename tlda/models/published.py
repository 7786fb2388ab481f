"""How the public weights of a backbone are named, and which inputs they were trained on."""

import dataclasses
import re
from collections.abc import Callable

# Our names of a leaf, and those of PyTorch's layers.
_LEAVES = {
  'kernel': 'weight',
  'scale': 'weight',
  'embedding': 'weight',
  'mean': 'running_mean',
  'var': 'running_var',
}


def torch_name(path: str) -> str:
  """Returns the name that PyTorch gives a parameter or statistic, where a list is numbered.

  Args:
    path: Ours below the backbone, such as 'layer1_0/conv1/kernel'.

  Returns:
    Theirs, 'layer1.0.conv1.weight': an underscore before a module's last number is a dot.
  """
  *modules, leaf = path.split('/')
  modules = [re.sub(r'_(\d+)$', r'.\1', module) for module in modules]
  return '.'.join([*modules, _LEAVES.get(leaf, leaf)])


@dataclasses.dataclass(frozen=True)
class Published:
  """What must be known of a backbone's public weights to load and to use them.

  Attributes:
    size: Height and width of the images that they were trained on; of texts the most tokens.
    mean: Of each channel of RGB in [0, 1], which was subtracted; () for texts.
    std: What each channel was divided by after that; () for texts.
    head: Beginnings of the published names of tensors behind the features, which a new task
      replaces: ('fc.',).
    ignored: Patterns of published names that hold no weights that the backbone has a use for.
    rename: From a path below the backbone to the published name.
  """

  size: int
  mean: tuple[float, ...]
  std: tuple[float, ...]
  head: tuple[str, ...] = ()
  ignored: tuple[str, ...] = (r'.*num_batches_tracked',)
  rename: Callable[[str], str] = torch_name


# The mean and standard deviation of ImageNet's pixels that PyTorch's networks are trained with.
IMAGENET = {'mean': (0.485, 0.456, 0.406), 'std': (0.229, 0.224, 0.225)}
