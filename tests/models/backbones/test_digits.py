"""The networks of Ganin et al. (2016): every size, and the MNIST network against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.models import numpy_layers
from tlda.models.backbones import LeNet, MNISTNet, network


def kernels(module: object, *inputs: jax.ShapeDtypeStruct) -> dict[str, tuple[int, ...]]:
  params = jax.eval_shape(module.init, jax.random.key(0), *inputs)['params']
  flat = jax.tree_util.tree_leaves_with_path(params)
  return {path[-2].key: leaf.shape for path, leaf in flat if path[-1].key == 'kernel'}


def images(side: int) -> jax.ShapeDtypeStruct:
  return jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32)


def features(size: int) -> jax.ShapeDtypeStruct:
  return jax.ShapeDtypeStruct((2, size), jnp.float32)


def test_mnist_net_has_the_sizes_of_the_paper() -> None:
  net = network('mnist_net', classes=10)
  assert kernels(net.extractor, images(28)) == {'conv1': (5, 5, 3, 32), 'conv2': (5, 5, 32, 48)}
  head = {'hidden1': (768, 100), 'hidden2': (100, 100), 'logits': (100, 10)}
  assert kernels(net.head, features(768)) == head
  assert kernels(net.domain_classifier, features(768)) == {
    'hidden1': (768, 100),
    'logits': (100, 1),
  }


def test_svhn_net_has_the_sizes_of_the_paper() -> None:
  net = network('svhn_net', classes=10)
  assert kernels(net.extractor, images(32)) == {
    'conv1': (5, 5, 3, 64),
    'conv2': (5, 5, 64, 64),
    'conv3': (5, 5, 64, 128),
  }
  head = {'hidden1': (6272, 3072), 'hidden2': (3072, 2048), 'logits': (2048, 10)}
  assert kernels(net.head, features(6272)) == head
  assert kernels(net.domain_classifier, features(6272)) == {
    'hidden1': (6272, 1024),
    'hidden2': (1024, 1024),
    'logits': (1024, 1),
  }
  assert net.head.dropout == net.domain_classifier.dropout == 0.5


def test_signs_net_has_the_sizes_of_the_paper() -> None:
  net = network('signs_net', classes=43)
  assert kernels(net.extractor, images(40)) == {
    'conv1': (5, 5, 3, 96),
    'conv2': (3, 3, 96, 144),
    'conv3': (5, 5, 144, 256),
  }
  # 40 pixels: 36, 18; 16, 8; 4, 2; and 2 * 2 * 256 features.
  assert kernels(net.head, features(1024)) == {'hidden1': (1024, 512), 'logits': (512, 43)}
  assert kernels(net.domain_classifier, features(1024)) == {
    'hidden1': (1024, 1024),
    'hidden2': (1024, 1024),
    'logits': (1024, 1),
  }
  made = jax.eval_shape(lambda x: net.extractor.init_with_output(jax.random.key(0), x), images(40))
  assert made[0].shape == (2, 1024)


def test_lenet_has_the_sizes_of_adda() -> None:
  assert kernels(LeNet(), images(28)) == {
    'conv1': (5, 5, 3, 20),
    'conv2': (5, 5, 20, 50),
    'dense': (800, 500),
  }


def test_lenet_with_normalisation_is_lenet_and_a_bottleneck() -> None:
  net = network('lenet_bn', classes=10, normalization='per_domain', domains=3)
  variables = jax.eval_shape(net.extractor.init, jax.random.key(0), images(28))
  assert kernels(net.extractor.backbone, images(28)) == kernels(LeNet(), images(28))
  assert variables['params']['dense']['kernel'].shape == (500, 256)
  assert {leaf.shape for leaf in jax.tree.leaves(variables['batch_stats'])} == {(3, 256)}
  assert kernels(net.head, features(256)) == {'logits': (256, 10)}


def test_mnist_net_equals_numpy() -> None:
  x = np.random.default_rng(0).normal(size=(2, 28, 28, 3)).astype(np.float32)
  values = numpy_layers.variables(MNISTNet(), x)
  expected = x
  for name in ('conv1', 'conv2'):
    params = values['params'][name]
    expected = numpy_layers.convolve(expected, params['kernel']) + params['bias']
    expected = numpy_layers.relu(numpy_layers.max_pool(expected, 2, 2))
  np.testing.assert_allclose(
    MNISTNet().apply(values, x), expected.reshape(2, 768), rtol=1e-4, atol=1e-4
  )
