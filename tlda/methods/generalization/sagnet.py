"""Style-agnostic networks (Nam et al., 2021)."""

from typing import Annotated, ClassVar

import jax

from tlda import axis
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.generalization import styles
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class SagNet(Method):
  """Learns classes from contents whose styles are random, and hides them in styles.

  Nam, Lee, Park, Yoon, Yoo: *Reducing Domain Gap by Reducing Style Bias*, CVPR 2021. The style of a
  feature map z is the mean and the deviation of each channel over its positions; the content is
  what is left. The extractor is cut behind a stage into f and c; g is a second network like c, with
  a head of its own. With another example z' of the batch, drawn for each,

    L_task(c(content of z, style between those of z and z'))          moves f, c and the head
    L_task(g(content of z, style of z'), label of z')                 moves g
    weight mean_x CE(uniform, g(content of z, style of z'))           moves f, by the style alone

  where the style between is s z + (1 - s) z', s uniform in [0, 1] for each example. All sources are
  one here, so that a single one will do. c predicts, of maps as they are.

  Departs from the authors' code: all three move in one step; the third moves all weights of f, and
  its gradient is not clipped (there, scale and bias of batch normalisation alone, clipped at 0.1);
  deviations, not variances, are interpolated; g begins with random weights.

  Attributes:
    weight: Of the third term (the paper's 0.1).
    stage: Of the backbone, behind which f ends (3 in the authors' code, of a ResNet's 4); another
      layer must read its maps.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source'})

  weight: Annotated[float, LogUniform(0.01, 10.0)] = 0.1
  stage: int = 3

  def setup(self) -> None:
    """Makes g: a whole extractor, of which the layers up to the stage are not used."""
    self.style_extractor = self.extractor.clone(name=None, parent=None)
    self.style_head = self.head.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a negative weight, no stage, and a batch of one."""
    needs.at_least(self, 0, 'weight')
    needs.at_least(self, 1, 'stage')
    needs.examples(self, batch_size)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the losses of contents, of styles, and of styles that should say nothing.

    Raises:
      UserError: The backbone has no such stage of feature maps that another layer reads.
    """
    examples, seen = batch.source.flat(), []

    def randomised(_: int, maps: jax.Array) -> jax.Array:
      seen.append(maps)
      return self.randomised(maps, context.key('content'))

    with styles.replaced((self.stage,), randomised):
      (outputs,) = self.outputs(batch)
    if not seen:
      raise UserError(
        f'SagNet needs a convolutional --backbone with a layer behind stage {self.stage}'
      )
    maps, labels = self.exchanged(seen[0], examples.labels, context.key('style'))
    says = by_style(self, examples, jax.lax.stop_gradient(maps))
    # The same network, which the features are to deceive and which does not learn from it.
    held = self.pure(by_style, jax.lax.stop_gradient(self.variables))(examples, maps)
    return {
      'task': self.task_loss(outputs, batch.source),
      'style': self.task.loss(says, labels).mean(),
      'adversarial': self.weight * -jax.nn.log_softmax(held).mean(),
    }

  def randomised(self, maps: jax.Array, key: jax.Array) -> jax.Array:
    """Returns feature maps with styles between their own and those of others.

    Args:
      maps: `[sources * batch, height, width, channels]` on this device.
      key: Random key, the same on every device.
    """
    order, draw = jax.random.split(key)
    own = styles.styles_of(maps)
    every = self._every(own)
    shares = jax.random.uniform(draw, (*every.shape[:2], 1, 1))
    shares = axis.own(shares, axis=1).reshape(len(own), 1, 1)
    return styles.restyled(maps, own, shares * own + (1 - shares) * self._of_others(own, order))

  def exchanged(
    self, maps: jax.Array, labels: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    """Returns feature maps with styles of others, and the labels of these.

    Contents get no gradient.

    Args:
      maps: `[sources * batch, height, width, channels]` on this device.
      labels: `[sources * batch]`.
      key: Random key, the same on every device.
    """
    own = styles.styles_of(maps)
    held = jax.lax.stop_gradient((maps, own))
    return styles.restyled(*held, self._of_others(own, key)), self._of_others(labels, key)

  def _of_others(self, rows: jax.Array, key: jax.Array) -> jax.Array:
    """Returns other rows of the global batch, in random order, in the place of this device's."""
    every = self._every(rows)
    flat = every.reshape(-1, *rows.shape[1:])
    others = jax.random.permutation(key, flat).reshape(every.shape)
    return axis.own(others, axis=1).reshape(rows.shape)

  def _every(self, rows: jax.Array) -> jax.Array:
    """Returns the rows of all devices, `[sources, batch, ...]`."""
    count = len(self.spec.sources)
    return axis.gather(rows.reshape(count, -1, *rows.shape[1:]), axis=1)


def by_style(method: SagNet, examples: Examples, maps: jax.Array) -> jax.Array:
  """Returns what g says of feature maps `[batch, height, width, channels]`: `[batch, classes]`."""
  with styles.replaced((method.stage,), lambda *_: maps):
    features = method.style_extractor(examples.inputs, domain=examples.domain, train=True)
  return method.style_head(features, domain=examples.domain, train=True)
