"""One small file per naming scheme; the order is the order of recognition."""

from .cae import CAE_MODELS
from .huggingface import HUGGING_FACE
from .openmmlab import OPENMMLAB
from .timm import MAE, TIMM

LAYOUTS = (OPENMMLAB, MAE, TIMM, HUGGING_FACE)

# Looked at before the layouts, which only know encoders.
FAMILIES = (*CAE_MODELS,)

__all__ = ['FAMILIES', 'HUGGING_FACE', 'LAYOUTS', 'MAE', 'OPENMMLAB', 'TIMM']
