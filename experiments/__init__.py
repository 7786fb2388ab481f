"""One script for each benchmark or workflow: flags and defaults, no loops."""
