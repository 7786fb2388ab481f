"""Training on the labelled target, and predictions by the average of its weights."""

from tlda.methods.averaged import Averaged
from tlda.methods.target_only import TargetOnly


class WeightAverage(Averaged, TargetOnly):
  """Predicts with the exponential moving average of the weights that training goes through.

  Polyak, Juditsky: *Acceleration of Stochastic Approximation by Averaging*, 1992, in the form that
  is common today. The average is never trained on; it is steadier than the last weights, and costs
  a copy of them. Any other method M has the same as `class X(Averaged, M)`.

  Attributes:
    decay: The share of itself that the average keeps at each step.
  """
