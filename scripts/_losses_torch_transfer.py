"""The losses of transfer in PyTorch, as those of `_losses_torch` are."""

import torch
from torch import Tensor
from torch.nn import functional as F


def attention_transfer(student_maps: Tensor, teacher_maps: Tensor) -> Tensor:
  """Squares the distance between attentions to positions, each of length 1."""
  attention = lambda maps: F.normalize(maps.square().sum(-1).flatten(1), dim=1)
  gap = attention(student_maps) - attention(teacher_maps.detach())
  return gap.square().sum(1)


def batch_spectral_shrinkage(features: Tensor) -> Tensor:
  """Squares the smallest singular value, along its held singular vector."""
  rows = features if features.shape[0] >= features.shape[1] else features.T
  with torch.no_grad():
    vectors = torch.linalg.eigh(rows.T @ rows).eigenvectors
  return (rows @ vectors[:, :1]).square().sum()


def distillation(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
  """Takes the divergence from the teacher at temperature 4, times 16."""
  log_target = F.log_softmax(teacher_logits.detach() / 4, dim=1)
  given = F.log_softmax(student_logits / 4, dim=1)
  return 16 * F.kl_div(given, log_target, reduction='none', log_target=True).sum(1)


def hint(student_features: Tensor, teacher_features: Tensor) -> Tensor:
  """Takes half the mean squared difference of features."""
  return (student_features - teacher_features.detach()).square().flatten(1).mean(1) / 2
