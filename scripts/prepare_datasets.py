"""Prepares data sets once, so that experiments find them in the data directory.

  python scripts/prepare_datasets.py mnist_m usps --data_dir=DIR

writes `DIR/mnist_m` and `DIR/usps` as TFDS array_record, which the domains `tfds:mnist_m` and
`tfds:usps` read. The raw files that it takes are those of the domains `mnist_m` and `usps`, below
the same DIR. No TensorFlow is needed. Further names:

  usps_npz    makes DIR/usps/usps.npz of DIR/usps/zip.train.gz and zip.test.gz, as they are on
              https://web.stanford.edu/~hastie/StatLearnSparsity_files/DATA/zipcode.html
  mnist_mini  cuts the subset of MNIST that is part of this package out of DIR/mnist
"""
