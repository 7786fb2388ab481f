"""Tests: they mirror `tlda`; `contracts` has what every loss, method and backbone must satisfy."""
