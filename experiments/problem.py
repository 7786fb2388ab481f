"""What is learned from, of the domains that were loaded: what a method may know, labels, means."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments import network, saved, source_run
from experiments.flags import NO_AUGMENTATION
from tlda import data, methods
from tlda.data import label_sets, text
from tlda.data.training_augmentation import AUGMENTATIONS
from tlda.errors import UserError, nearest
from tlda.training.inputs import Preprocessing

Read = Callable[[str, str | None, int | None], data.Domain]


def load(
  parsed: Mapping[str, Any],
  method: type[methods.Method] | None = None,
  start: saved.About | None = None,
  read: Read | None = None,
) -> tuple[list[data.Domain], data.Domain]:
  """Loads the sources and the target that flags name, as one network can read them all.

  Texts become tokens of MiniLM's vocabulary. Published image networks see colours, so that grey
  images are repeated to three channels for them.

  Args:
    parsed: All flags.
    method: What the domains are for, where it is known.
    start: The source run that stands for the data of the sources: none of them is read.
    read: What loads a domain (its name, the folder of data, a size of images); None: `data.load`.

  Returns:
    The sources and the target.

  Raises:
    UserError: A name is unknown, data are missing or broken, or the domains do not fit together.
  """
  size, read = parsed['image_size'] or None, functools.cache(read or data.load)
  domains = [] if start else _sources(parsed, method, size, read)
  domains.append(read(parsed['target'], parsed['data_dir'], size))
  if any(domain.train.is_text for domain in domains):
    tokenizer = text.wordpiece(text.minilm_vocabulary())
    domains = [text.tokenize(domain, tokenizer, parsed['tokens']) for domain in domains]
  sources, target = data.fit_together(domains[:-1], domains[-1])
  if parsed.get('source_classes') or parsed.get('target_classes'):
    own = [
      label_sets.parse(parsed[f'{side}_classes'], target.classes, f'--{side}_classes')
      for side in ('source', 'target')
    ]
    sources, target = label_sets.restrict(sources, target, *own)
  if network.sees_color(parsed):
    *sources, target = data.in_color([*sources, target])
  if start:
    source_run.check(start, target)
  return sources, target


def _sources(
  parsed: Mapping[str, Any], method: type[methods.Method] | None, size: int | None, read: Read
) -> list[data.Domain]:
  names = parsed['source'].split(',')
  try:
    return [read(name, parsed['data_dir'], size) for name in names]
  except UserError as error:
    if method is None or not source_run.does_without_data(method):
      raise
    raise UserError(
      f'--method={parsed["method"]} starts from a trained source run: name it with --init_from, or '
      f'have the data to train it ({error})'
    ) from error


def seen_by(run: saved.Saved, name: str, data_dir: str | None = None) -> data.Domain:
  """Loads a domain as a finished run reads its inputs.

  Args:
    run: The run.
    name: Of the domain.
    data_dir: Folder of raw and prepared data; None is that of the run.

  Raises:
    UserError: There is no such domain, or its inputs have another shape.
  """
  own = {flag: run.flags[flag] for flag in ('image_size', 'tokens')}
  own |= {'data_dir': data_dir or run.flags['data_dir'], 'init_from': None, 'weights': ''}
  own |= {flag: run.flags.get(flag, '') for flag in ('source_classes', 'target_classes')}
  _, domain = load({**own, 'source': name, 'target': name})
  wanted = run.method.spec.input_shape
  if wanted[-1] == 3:  # Also of a run whose source alone was in colour.
    (domain,) = data.in_color([domain])
  shape = tuple(domain.train.inputs.shape[1:])
  if shape != wanted:
    raise UserError(f'{name} has inputs of {shape}, and the run was trained on {wanted}')
  return domain


def describe(
  sources: Sequence[data.Domain], target: data.Domain, start: saved.About | None = None
) -> methods.Spec:
  """Returns what a method may know of its domains; of sources without data, what their run says."""

  def known(domain: data.Domain) -> methods.DomainSpec:
    return methods.DomainSpec(domain.name, len(domain.train), tuple(range(len(domain.classes))))

  return methods.Spec(
    classes=len(target.classes),
    input_shape=tuple(target.train.inputs.shape[1:]),
    sources=start.spec.sources if start else tuple(map(known, sources)),
    target=known(target),
    input_dtype='int32' if target.train.is_tokens else 'float32',
    unknown=target.classes[-1] == label_sets.UNKNOWN,
  )


def few_labels(target: data.Domain, per_class: int) -> data.Split | None:
  """Returns the labelled examples of the target, the same for every run; None for 0 a class."""
  return data.draw(target.train, per_class, len(target.classes)) if per_class else None


def augmentation(name: str) -> str | None:
  """Returns the name of an augmentation of training images, None for 'none'.

  Raises:
    UserError: There is none of this name.
  """
  if name not in (NO_AUGMENTATION, *AUGMENTATIONS):
    raise UserError(nearest('augmentation', name, [NO_AUGMENTATION, *AUGMENTATIONS]))
  return None if name == NO_AUGMENTATION else name


def with_few_labels(
  method: type[methods.Method],
  sources: Sequence[data.Domain],
  target: data.Domain,
  per_class: int,
) -> tuple[list[data.Domain], data.Domain]:
  """Leaves some examples of each class in the labelled training sets that a method reads.

  These are the sources, and the target where its labels are read ('target_only'); an unlabelled
  target stays whole. The draw is one for all seeds and stages: seeds then differ by the network
  and the order alone, and the hash of the data in `result.json` says what was drawn.

  Args:
    method: The method; what its first stage reads counts too.
    sources: The labelled domains.
    target: The domain to adapt to.
    per_class: Examples of each class; 0 leaves all.

  Returns:
    The same sources and target, with smaller training sets; tests are as they were.

  Raises:
    UserError: A class has fewer examples, or the target's labels are read and its test examples are
      those that it trains on.
  """
  reads = frozenset().union(*(stage.reads for stage in _stages(method)))
  if reads & {'target_labels', 'labelled_target'} and not target.is_held_out:
    raise UserError(
      f'{method.__name__} learns from labels of {target.name}, whose test examples are those that '
      'it trains on: it would be measured by what it was told'
    )
  if per_class and 'source' in reads:
    sources = [_drawn(source, per_class) for source in sources]
  if per_class and 'target_labels' in reads:
    target = _drawn(target, per_class)
  return list(sources), target


def _drawn(domain: data.Domain, per_class: int) -> data.Domain:
  train = data.draw(domain.train, per_class, len(domain.classes))
  return dataclasses.replace(domain, train=train)


def preprocessing(
  method: type[methods.Method],
  sources: Sequence[data.Domain],
  target: data.Domain,
) -> Preprocessing:
  """Returns the subtraction of the mean of the training inputs that the method reads.

  A second stage subtracts what its first did, for it goes on with weights that expect this.
  """
  method = _stages(method)[-1]
  read = [*(sources if 'source' in method.reads else ())]
  read += [target] if 'target' in method.reads else []
  scale = 255.0 if target.train.inputs.dtype == 'uint8' else 1.0
  return Preprocessing(tuple((data.channel_mean(read) / scale).tolist()))


def _stages(method: type[methods.Method]) -> list[type[methods.Method]]:
  """Returns a method, then that of its first stage, and so on."""
  stages = [method]
  while stages[-1].first_stage:
    stages.append(methods.get(stages[-1].first_stage))
  return stages
