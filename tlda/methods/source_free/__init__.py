"""No source data: a trained source run and an unlabelled target; source data are not read."""

from tlda.methods.source_free.aad import AaD
from tlda.methods.source_free.shot import SHOT
from tlda.methods.source_free.shot_im import SHOTIM

__all__ = ['SHOT', 'SHOTIM', 'AaD']
