"""TFDS builders of domains that TFDS lacks; they write array_record without TensorFlow."""
