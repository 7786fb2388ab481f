"""Adversarial discriminative domain adaptation (Tzeng et al., 2017)."""

from typing import ClassVar

import jax

from tlda import losses
from tlda.methods.alternating import Alternating
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Phase, States, Terms, Variables


class ADDA(Alternating):
  """Learns an encoder of the target whose features pass for those of a fixed source encoder.

  Tzeng, Hoffman, Saenko, Darrell: *Adversarial Discriminative Domain Adaptation*, CVPR 2017. After
  training on the source, its encoder M_s and the head stay as they are. The target's encoder M_t
  begins as M_s; in turn

    min_D   -(E_source log D(M_s(x)) + E_target log(1 - D(M_t(x)))) / 2
    min_M_t -E_target log D(M_t(x))

  the second with inverted labels, not the negative of the first: it has a gradient where D is sure.

  `extractor` is M_t, and all predictions, of the source too, are made with it. M_s lies in the
  state `source_encoder`; its batch normalisation takes the statistics of the source batch.

  Nothing but D holds M_t near the classes that the head knows, so it wants a small learning rate
  (the paper's digits 2e-4, with Adam) and little momentum: the authors' code has a first moment of
  0.5, and with 0.9 M_t runs away (`--optimizer=adam --momentum=0.5`). For a rate of its own, train
  the first stage apart, and give its folder as `--init_from`.

  Departs from the authors' code: there M_t's loss is halved, D sees logits (here, features), and
  the target has a last layer of its own that moves too (here, the head stays, as in the paper).
  """

  first_stage: ClassVar[str | None] = 'source_only'

  def phases(self) -> tuple[Phase, ...]:
    """Returns the domain classifier's move, then the target encoder's; the head never moves."""
    return (super().phases()[0], Phase('target', 'objective', ('extractor',)))

  def initial_states(self, variables: Variables) -> States:
    """Returns the source encoder: the extractor before any step."""
    return {'source_encoder': {'params': variables['params']['extractor']}}

  def domain_objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the loss of the domain classifier, of fixed source and present target features."""
    del context
    present = self.variables['params']
    frozen = {**present, 'extractor': self.get_variable('source_encoder', 'params')}
    examples = batch.source.flat()
    forward = self.pure('forward', {**self.variables, 'params': frozen})
    source = forward(examples.inputs, examples.domain, train=True)
    target = self.forward(batch.target.inputs, batch.target.domain, train=True)
    logits = map(self.domain_logits, (source, target))
    return {'domain': losses.domain_adversarial(*logits)}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the target encoder's loss: that its features are told from the source's."""
    del context
    target = self.forward(batch.target.inputs, batch.target.domain, train=True)
    return {'mapping': jax.nn.softplus(-self.domain_logits(target)).mean()}
