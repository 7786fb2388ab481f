"""The parts of the page, one file each: `section(runs)` returns its HTML."""
