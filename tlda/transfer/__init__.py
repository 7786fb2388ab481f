"""Which weights move, and how fast: optax transformations that read the training step."""

from tlda.transfer.optimizers import names, optimizer
from tlda.transfer.schedules import names as schedule_names
from tlda.transfer.schedules import schedule

__all__ = ['names', 'optimizer', 'schedule', 'schedule_names']
