"""From flags to a network: its parts, its first weights, and what moves them."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from etils import epath

from experiments import flags
from tlda import methods, tasks, transfer
from tlda.errors import UserError
from tlda.models import Network, backbones, pretrained
from tlda.models.network import backbone_of
from tlda.training import plan
from tlda.training.inputs import Preprocessing
from tlda.training.run import Run
from tlda.transfer.strategy import locator

# The backbones without convolutions, but for those of texts.
READ_VECTORS = ('mlp', 'mlp_bn', 'identity')


def build(parsed: Mapping[str, Any], method: type[methods.Method], spec: methods.Spec) -> Network:
  """Returns the parts of the network that flags say, with what the transfer strategy adds.

  Batch normalisation is what the method must have, else what the flag says, else (where that is
  left at 'joint') what the strategy asks for.

  Raises:
    UserError: There is no such backbone, it reads other inputs than these, or the flag asks for
      another normalisation than the method must have.
  """
  if parsed['bottleneck'] < -1:
    raise UserError(f'--bottleneck must be -1 or above, not {parsed["bottleneck"]}')
  chosen, normalization = strategy(parsed), parsed['normalization']
  if normalization not in ('joint', method.normalization or normalization):
    raise UserError(
      f'--method={parsed["method"]} needs --normalization={method.normalization}, not '
      f'{normalization}'
    )
  if method.normalization:
    normalization = method.normalization
  elif normalization == 'joint' and backbones.has_normalization(parsed['backbone']):
    normalization = chosen.normalization or 'joint'
  built = backbones.network(
    parsed['backbone'],
    classes=spec.classes,
    normalization=normalization,
    domains=spec.domains,
    bottleneck=None if parsed['bottleneck'] < 0 else parsed['bottleneck'],
    wrap=chosen.network,
  )
  known = getattr(backbone_of(built.extractor), 'published', None)
  reads_text = known is not None and not known.mean
  if reads_text != spec.is_text:
    holds = 'texts' if spec.is_text else 'no texts'
    raise UserError(
      f'--backbone={parsed["backbone"]} cannot read {spec.target.name}: it holds {holds}'
    )
  if len(spec.input_shape) == 1 and not (spec.is_text or parsed['backbone'] in READ_VECTORS):
    raise UserError(
      f'--backbone={parsed["backbone"]} reads images, and {spec.target.name} holds vectors: '
      'mlp or identity reads them'
    )
  return built


def method(
  parsed: Mapping[str, Any],
  kind: type[methods.Method],
  spec: methods.Spec,
  network: Network,
  **given: Any,
) -> methods.Method:
  """Returns a method of a network's parts, with the hyper-parameters that flags say.

  Args:
    parsed: All flags.
    kind: The method.
    spec: What it may know of its problem.
    network: The parts.
    **given: Fields that are neither (see `experiments.given`); a run that only predicts needs none.
  """
  prefix = flags.prefix(parsed['method'], kind)
  own = {field: parsed[f'{prefix}.{field}'] for field in flags.fields(kind)}
  if 'domain_classifier' in {field.name for field in dataclasses.fields(kind)}:
    own['domain_classifier'] = network.domain_classifier
  task = tasks.Classification(parsed['label_smoothing'])
  return kind(spec=spec, task=task, extractor=network.extractor, head=network.head, **own, **given)


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


def expected(parsed: Mapping[str, Any], network: Network) -> Preprocessing | None:
  """Returns how inputs must be preprocessed for the weights that flags name; None without any.

  Those of a run (`--init_from`, or as `--weights`) go on seeing what they were trained on.

  Raises:
    UserError: The backbone has no public weights, and these are of no run either.
  """
  start = parsed['init_from'] or parsed['weights']
  if not start:
    return None
  if own := of_run(start):
    return own
  if parsed['init_from']:
    return None
  published = getattr(backbone_of(network.extractor), 'published', None)
  if published is None:
    name = parsed['backbone']
    raise UserError(f'--backbone={name} has no public weights: give --weights=RUN or --weights=')
  return Preprocessing(published.mean, published.std or None)


def of_run(place: str) -> Preprocessing | None:
  """Returns how the inputs of a run are preprocessed; None where weights are of no run's folder."""
  config = epath.Path(place) / 'config.json'
  if not config.exists():
    return None
  try:
    known = json.loads(config.read_text())['network']['preprocessing']
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(f'{config} does not say what the network of its run is ({error})') from error
  return Preprocessing(**{name: tuple(x) if x is not None else None for name, x in known.items()})


def sees_color(parsed: Mapping[str, Any]) -> bool:
  """Tells whether the weights that flags name are of three channels, as published ones are."""
  start = parsed['init_from'] or parsed['weights']
  own = of_run(start) if start else None
  return bool(parsed['weights']) if own is None else len(own.mean) == 3


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


def check(parsed: Mapping[str, Any], run: Run) -> None:
  """Refuses settings of the transfer strategy that fit no parameter of a run.

  Raises:
    UserError: What does not fit, or what it freezes was never trained.
  """
  chosen, layers = strategy(parsed), backbone_of(run.method.extractor).layers
  if type(chosen).check is not transfer.Strategy.check:  # It takes a second to trace the method.
    chosen.check([leaf for leaf, _ in plan.leaves(plan.shapes(run), locator(layers))])
  freezes = bool(layers) and type(chosen).moves is not transfer.Strategy.moves
  starts = run.weights is not None or run.initial is not None or run.method.first_stage is not None
  if freezes and not starts:
    raise UserError(
      f'--transfer={parsed["transfer"]} freezes weights that were never trained: give --weights or '
      '--init_from'
    )
