"""Readers of weight files. None executes anything; `tlda.models.pretrained` is their door."""
