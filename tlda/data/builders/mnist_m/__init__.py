"""The TFDS builder of mnist_m."""
