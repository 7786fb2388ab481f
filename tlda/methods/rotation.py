"""Self-supervised rotation as a second task (Gidaris et al., 2018; Sun et al., 2019)."""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Terms
from tlda.models import Linear
from tlda.ranges import LogUniform

TURNS = 4


class Rotation(Method):
  """Learns the task from the source, and from both domains how far each image was turned.

  Gidaris, Singh, Komodakis: *Unsupervised Representation Learning by Predicting Image Rotations*,
  ICLR 2018: of 0, 90, 180 and 270 degrees, a head tells which. As adaptation: Sun, Tzeng, Darrell,
  Efros, *Unsupervised Domain Adaptation through Self-Supervision*, 2019, section 3; Xu, Xiao,
  Lopez, *Self-Supervised Domain Adaptation for Computer Vision Tasks*, IEEE Access 2019. A head
  that both domains share can tell it only by features that both share,

    L_task(source) + weight (L_rotation(source) + L_rotation(target))

  with means over the images of a domain. One rotation is drawn for each image at each step, and
  turned images pass through the network apart from those that the task is learned from.

  Departs from Gidaris et al., who show all four rotations of an image in one batch, and from the
  code of Sun et al., which takes half the sum of both rotation losses, in a step of its own before
  that of the task. Where a turned image is one of another class (6 and 9, arrows), the two tasks
  disagree.

  Attributes:
    rotation_head: Tells the four rotations apart, by the features.
    weight: Of both domains' rotation losses (1 in Sun et al.).
  """

  rotation_head: nn.Module = Linear(TURNS)
  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses what cannot be turned, and a weight that would unlearn rotations."""
    del batch_size
    needs.square_images(self)
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the rotation losses of both domains."""
    source, target = batch.source.flat(), batch.target
    outputs = self.forward(source.inputs, source.domain, train=True)
    turns = [drawn_turns(context, part) for part in (source, target)]
    turned = [turn(part.inputs, own) for part, own in zip((source, target), turns, strict=True)]
    domain = jnp.concatenate([source.domain, target.domain])
    features = self.extractor(jnp.concatenate(turned), domain=domain, train=True)
    logits = self.rotation_head(features, domain=domain, train=True)
    apart = losses.cross_entropy(logits, jnp.concatenate(turns))
    of_source, of_target = jnp.split(apart, [len(source.index)])
    return {
      'task': self.task_loss(outputs, batch.source),
      'source_rotation': self.weight * of_source.mean(),
      'target_rotation': self.weight * of_target.mean(),
    }


def drawn_turns(context: Context, examples: Examples) -> jax.Array:
  """Draws the quarter turns of a flat batch, int32 `[batch]` in [0, 4)."""
  draw = lambda key: jax.random.randint(key, (), 0, TURNS)
  return jax.vmap(draw)(context.keys('rotation', examples))


def turn(images: jax.Array, turns: jax.Array) -> jax.Array:
  """Turns each image.

  Args:
    images: `[batch, side, side, channels]`.
    turns: int `[batch]`, the quarter turns of each, anticlockwise.

  Returns:
    An array like `images`.
  """
  every = jnp.stack([jnp.rot90(images, quarter, axes=(1, 2)) for quarter in range(TURNS)])
  return every[turns, jnp.arange(len(images))]
