"""The losses of `tlda` in PyTorch, by the same names, written from the same formulas.

As a user of PyTorch would write them, eagerly and at the default settings, in the same form: Gram
matrices by one product, as many Sinkhorn iterations, the same estimators, and without a gradient
where ours has none. Needs `torch` alone.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def batch_nuclear_norm(logits: Tensor) -> Tensor:
  """Takes minus the sum of the singular values of the predictions, over the batch."""
  return -torch.linalg.svdvals(F.softmax(logits, dim=1)).sum() / len(logits)


def batch_spectral_penalty(source: Tensor, target: Tensor) -> Tensor:
  """Sums the squares of the largest singular values, along held singular vectors."""
  total = 0
  for sample in (source, target):
    rows = sample if sample.shape[0] >= sample.shape[1] else sample.T
    with torch.no_grad():
      vectors = torch.linalg.eigh(rows.T @ rows).eigenvectors
    total = total + (rows @ vectors[:, -1:]).square().sum()
  return total


def central_moment_discrepancy(source: Tensor, target: Tensor) -> Tensor:
  """Sums the distances of means and of central moments up to the fifth."""
  means = source.mean(0), target.mean(0)
  total = torch.linalg.vector_norm(means[0] - means[1])
  source, target = source - means[0], target - means[1]
  for order in range(2, 6):
    total = total + torch.linalg.vector_norm((source**order).mean(0) - (target**order).mean(0))
  return total


def centroid_alignment(source_centroids: Tensor, target_centroids: Tensor) -> Tensor:
  """Sums the squared distances of centroids."""
  return (source_centroids - target_centroids).square().sum()


def class_balance(probabilities: Tensor) -> Tensor:
  """Takes the binary cross-entropy of the mean prediction with a uniform one."""
  mean = probabilities.mean(0).clamp(1e-6, 1 - 1e-6)
  uniform = torch.full_like(mean, 1 / len(mean))
  return F.binary_cross_entropy(mean, uniform, reduction='sum')


def classifier_discrepancy(logits: Tensor, other_logits: Tensor) -> Tensor:
  """Averages the absolute differences of probabilities."""
  return (F.softmax(logits, dim=1) - F.softmax(other_logits, dim=1)).abs().mean(1)


def confident_cross_entropy(weak_logits: Tensor, strong_logits: Tensor) -> Tensor:
  """Takes the cross-entropy with sure pseudo-labels."""
  with torch.no_grad():
    probability, label = F.softmax(weak_logits, dim=1).max(1)
  return (probability >= 0.95) * F.cross_entropy(strong_logits, label, reduction='none')


def consistency(student_probabilities: Tensor, teacher_probabilities: Tensor) -> Tensor:
  """Averages the squared differences to a sure teacher."""
  teacher = teacher_probabilities.detach()
  gap = student_probabilities - teacher
  return (teacher.amax(1) > 0.968) * gap.square().mean(1)


def contrastive_domain_discrepancy(
  source: Tensor, target: Tensor, source_labels: Tensor, target_labels: Tensor, classes: int
) -> Tensor:
  """Takes the mean discrepancy of equal classes less that of unlike ones."""
  kernel = 5 * _kernel(source, target)
  count = len(source)
  means, seen = [], []
  for labels in (source_labels, target_labels):
    members = F.one_hot(labels, classes).T.to(source.dtype)
    counts = members.sum(1, keepdim=True)
    means.append(members / counts.clamp(min=1))
    seen.append(counts[:, 0] > 0)
  within = lambda mean, kernel: ((mean @ kernel) * mean).sum(1)
  distances = (
    within(means[0], kernel[:count, :count])[:, None]
    + within(means[1], kernel[count:, count:])[None]
    - 2 * means[0] @ kernel[:count, count:] @ means[1].T
  )
  there = (seen[0] & seen[1]).to(source.dtype)
  pairs, same = torch.outer(there, there), torch.eye(classes)
  mean = lambda mask: (mask * distances).sum() / mask.sum().clamp(min=1)
  return mean(pairs * same) - mean(pairs * (1 - same))


def coral(source: Tensor, target: Tensor) -> Tensor:
  """Takes the squared distance of covariances."""
  covariances = []
  for sample in (source, target):
    centered = sample - sample.mean(0)
    covariances.append(centered.T @ centered / (len(sample) - 1))
  return (covariances[0] - covariances[1]).square().sum() / (4 * source.shape[1] ** 2)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
  """Takes the cross-entropy of labels."""
  return F.cross_entropy(logits, labels, reduction='none')


def domain_adversarial(source_domain_logits: Tensor, target_domain_logits: Tensor) -> Tensor:
  """Takes the binary cross-entropy: the source is 1, the target is 0."""
  return (F.softplus(-source_domain_logits).mean() + F.softplus(target_domain_logits).mean()) / 2


def domain_confusion(domain_logits: Tensor) -> Tensor:
  """Takes the cross-entropy with a uniform distribution over domains."""
  return F.softplus(domain_logits) - domain_logits / 2


def entropy(logits: Tensor) -> Tensor:
  """Takes the entropy of predictions."""
  return _entropy(F.log_softmax(logits, dim=1))


def gradient_penalty(gradients: Tensor) -> Tensor:
  """Takes the squared differences of norms to 1."""
  return (torch.linalg.vector_norm(gradients, dim=1) - 1).square()


def hard_feature_norm(features: Tensor) -> Tensor:
  """Takes the squared difference of the mean norm to 25."""
  return (torch.linalg.vector_norm(features, dim=1).mean() - 25).square()


def information_maximization(logits: Tensor) -> Tensor:
  """Takes the mean entropy less the entropy of the mean."""
  each = F.log_softmax(logits, dim=1)
  mean = each.exp().mean(0)
  return _entropy(each).mean() + (mean * mean.log()).sum()


def joint_distribution_transport(
  source: Tensor, target: Tensor, source_labels: Tensor, target_logits: Tensor
) -> Tensor:
  """Prices features and labels under a held plan."""
  surprise = -F.log_softmax(target_logits, dim=1)[:, source_labels].T
  cost = 1e-3 * _squared_distances(source, target) + 1e-4 * surprise
  with torch.no_grad():
    epsilon = 0.05 * cost.mean()
    f, g = _potentials(cost, epsilon)
    plan = ((f[:, None] + g - cost) / epsilon).exp() / cost.numel()
  return (plan * cost).sum()


def joint_maximum_mean_discrepancy(
  source_features: Tensor,
  target_features: Tensor,
  source_probabilities: Tensor,
  target_probabilities: Tensor,
) -> Tensor:
  """Takes the discrepancy under the product of two kernels."""
  joint = _kernel(source_features, target_features)
  joint = joint * _kernel(source_probabilities, target_probabilities, 1)
  return _discrepancy(joint, len(source_features))


def kullback_leibler(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
  """Takes the divergence of the student from the teacher."""
  student, teacher = F.log_softmax(student_logits, dim=1), F.log_softmax(teacher_logits, dim=1)
  return F.kl_div(student, teacher, reduction='none', log_target=True).sum(1)


def local_maximum_mean_discrepancy(
  source: Tensor, target: Tensor, source_labels: Tensor, target_probabilities: Tensor
) -> Tensor:
  """Averages the discrepancies of the classes."""
  one_hot = F.one_hot(source_labels, target_probabilities.shape[1]).to(source.dtype)
  sums = one_hot.sum(0), target_probabilities.sum(0)
  there = (sums[0] > 0) & (sums[1] > 0)
  shares = [
    torch.where(there, belonging / torch.where(there, total, 1), 0)
    for belonging, total in zip((one_hot, target_probabilities), sums, strict=True)
  ]
  weights = torch.cat([shares[0], -shares[1]])
  return (weights * (_kernel(source, target) @ weights)).sum() / there.sum().clamp(min=1)


def margin_disparity(
  source_logits: Tensor,
  source_other_logits: Tensor,
  target_logits: Tensor,
  target_other_logits: Tensor,
) -> Tensor:
  """Takes the margin disparity of two classifiers."""
  copies = F.cross_entropy(source_other_logits, source_logits.argmax(1))
  said = F.one_hot(target_logits.argmax(1), target_logits.shape[1]).bool()
  others = target_other_logits.masked_fill(said, -torch.inf).logsumexp(1)
  return 4 * copies + (target_other_logits.logsumexp(1) - others).mean()


def maximum_mean_discrepancy(source: Tensor, target: Tensor) -> Tensor:
  """Takes the squared distance of mean embeddings."""
  return _discrepancy(_kernel(source, target), len(source))


def minimum_class_confusion(logits: Tensor) -> Tensor:
  """Takes the mean share of confused predictions."""
  probabilities = F.softmax(logits / 2.5, dim=1)
  agreement, mass = probabilities.square().sum(0), probabilities.sum(0)
  return 1 - (agreement / mass.clamp(min=1e-12)).mean()


def nuclear_wasserstein_discrepancy(
  source_probabilities: Tensor, target_probabilities: Tensor
) -> Tensor:
  """Takes the difference of nuclear norms, each over its batch."""
  source, target = (
    torch.linalg.svdvals(x).sum() / len(x) for x in (source_probabilities, target_probabilities)
  )
  return source - target


def sinkhorn_divergence(source: Tensor, target: Tensor) -> Tensor:
  """Takes the cost of transport less what each sample's own is."""
  between = _squared_distances(source, target)
  epsilon = 0.05 * between.mean().detach()
  within = [_transport_cost(_squared_distances(x, x), epsilon) for x in (source, target)]
  return _transport_cost(between, epsilon) - (within[0] + within[1]) / 2


def sliced_wasserstein_discrepancy(
  logits: Tensor, other_logits: Tensor, directions: Tensor | None = None
) -> Tensor:
  """Takes the mean squared gap of sorted projections, on given directions or random ones."""
  if directions is None:
    directions = torch.randn(logits.shape[1], 128)
  directions = directions / torch.linalg.vector_norm(directions, dim=0)
  one, other = (
    (F.softmax(x, dim=1) @ directions).sort(dim=0).values for x in (logits, other_logits)
  )
  return (one - other).square().mean()


def stepwise_feature_norm(features: Tensor) -> Tensor:
  """Takes the squared differences of norms to what they were and 1."""
  norms = torch.linalg.vector_norm(features, dim=1)
  return (norms - (norms.detach() + 1)).square()


def _entropy(log_probabilities: Tensor) -> Tensor:
  return -(log_probabilities.exp() * log_probabilities).sum(1)


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
  center = ((x.mean(0) + y.mean(0)) / 2).detach()
  x, y = x - center, y - center
  return (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T).clamp(min=0)


def _kernel(source: Tensor, target: Tensor, kernels: int = 5) -> Tensor:
  """Returns the mean of Gaussian kernels; each but the widest is the square of the one before."""
  rows = torch.cat([source, target])
  distances = _squared_distances(rows, rows)
  width = distances.detach().sum() / (len(rows) * (len(rows) - 1))
  kernel = (distances / (-width * 2 ** (kernels // 2))).exp()
  total = kernel
  for _ in range(kernels - 1):
    kernel = kernel.square()
    total = total + kernel
  return total / kernels


def _discrepancy(kernel: Tensor, count: int) -> Tensor:
  """Returns the squared distance of the mean embeddings of the first rows and of the others."""
  other = len(kernel) - count
  weights = torch.cat([torch.full((count,), 1 / count), torch.full((other,), -1 / other)])
  return weights @ kernel @ weights


@torch.no_grad()
def _potentials(cost: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
  """Returns the potentials after 50 of Sinkhorn's iterations, for equal weights."""
  n, m = cost.shape
  log_a, log_b = -torch.log(torch.tensor(n)), -torch.log(torch.tensor(m))
  g = torch.zeros(m)
  for _ in range(50):
    f = -epsilon * (log_b + (g - cost) / epsilon).logsumexp(1)
    g = -epsilon * (log_a + (f[:, None] - cost) / epsilon).logsumexp(0)
  return f, g


def _transport_cost(cost: Tensor, epsilon: Tensor) -> Tensor:
  f, g = _potentials(cost, epsilon)
  plan = ((f[:, None] + g - cost) / epsilon).exp() / cost.numel()
  return f.mean() + g.mean() - epsilon * (plan.sum() - 1)
