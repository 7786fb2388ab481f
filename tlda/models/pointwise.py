"""The 1x1 convolution as a matrix product."""

import flax.linen as nn
import jax


class PointwiseConv(nn.Module):
  """A 1x1 convolution without bias.

  On a CPU, XLA's gradients of a convolution are slower than those of the matrix product that this
  one is. Its parameter `kernel` is `[1, 1, inputs, outputs]`, as that of `nn.Conv`.

  Attributes:
    width: The number of output channels.
    kernel_init: What the kernel is drawn by.
  """

  width: int
  kernel_init: nn.initializers.Initializer = nn.initializers.variance_scaling(
    2.0, 'fan_out', 'normal'
  )

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns `[batch, height, width, self.width]` of `[batch, height, width, channels]`."""
    kernel = self.param('kernel', self.kernel_init, (1, 1, x.shape[-1], self.width))
    x, kernel = nn.dtypes.promote_dtype(x, kernel)
    return x @ kernel[0, 0]
