"""What is predicted: each task is a loss, a prediction and its metrics."""

from tlda.tasks.classification import Classification
from tlda.tasks.task import Task

__all__ = ['Classification', 'Task']
