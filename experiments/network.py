"""From flags to a network: its parts, its first weights, and what moves them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tlda import methods, transfer
from tlda.errors import UserError
from tlda.models import Network, backbones, pretrained
from tlda.models.network import backbone_of
from tlda.models.published import Published


def build(parsed: Mapping[str, Any], method: type[methods.Method], spec: methods.Spec) -> Network:
  """Returns the parts of the network that flags say, with what the transfer strategy adds.

  Batch normalisation is what the method must have, else what the flag says, else (where that is
  left at 'joint') what the strategy asks for.
  """
  chosen = strategy(parsed)
  normalization = method.normalization or parsed['normalization']
  if normalization == 'joint' and backbones.has_normalization(parsed['backbone']):
    normalization = chosen.normalization or 'joint'
  return backbones.network(
    parsed['backbone'],
    classes=spec.classes,
    normalization=normalization,
    domains=spec.domains,
    bottleneck=None if parsed['bottleneck'] < 0 else parsed['bottleneck'],
    wrap=chosen.network,
  )


def strategy(parsed: Mapping[str, Any]) -> transfer.Strategy:
  """Returns the transfer strategy that flags say, with its settings."""
  kind = transfer.get(parsed['transfer'])
  own = {
    field.name: parsed[f'{parsed["transfer"]}.{field.name}'] for field in dataclasses.fields(kind)
  }
  return kind(**own)


def schedule(parsed: Mapping[str, Any]) -> transfer.Schedule:
  """Returns the learning rate that flags say, as a function of the training step."""
  return transfer.schedule(parsed['schedule'], parsed['learning_rate'], parsed['steps'])


def optimizer(parsed: Mapping[str, Any], network: Network) -> transfer.Optimizer:
  """Returns what moves the weights of a network."""
  return transfer.optimizer(
    parsed['optimizer'],
    schedule(parsed),
    parsed['steps'],
    momentum=parsed['momentum'],
    weight_decay=parsed['weight_decay'],
    strategy=strategy(parsed),
    layers=backbone_of(network.extractor).layers,
  )


def published(parsed: Mapping[str, Any], network: Network) -> Published | None:
  """Returns what is known of the weights that flags name; None without `--weights`.

  Raises:
    UserError: The backbone has no public weights.
  """
  if not parsed['weights']:
    return None
  found = getattr(backbone_of(network.extractor), 'published', None)
  if found is None:
    raise UserError(f'--backbone={parsed["backbone"]} has no public weights: leave out --weights')
  return found


def weights(parsed: Mapping[str, Any], network: Network) -> Callable[[Any], Any] | None:
  """Returns what loads the weights that flags name into the backbone; None without `--weights`.

  Raises:
    UserError: The file cannot be read.
  """
  if not parsed['weights']:
    return None
  arrays, backbone = pretrained.read(parsed['weights']), backbone_of(network.extractor)
  return lambda variables: pretrained.load(
    backbone, variables, arrays, allow_missing=parsed['allow_missing']
  )
