"""The TFDS builder of usps."""
