"""One script for each benchmark or workflow: flags and defaults, no loops."""

import os

# On a CPU, JAX's singular values and eigenvalues come from OpenBLAS, whose threads spin: where
# another program wants a core, BNM, DALN and BSP are a hundred times slower with them. It is read
# when SciPy is first imported.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
