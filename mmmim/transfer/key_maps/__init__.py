"""One small file per naming scheme; the order is the order of recognition."""

from .beit import LINEAR_MODELS
from .cae import CAE_MODELS
from .huggingface import HUGGING_FACE
from .openmmlab import OPENMMLAB, SWIN
from .timm import MAE, TIMM

LAYOUTS = (OPENMMLAB, SWIN, MAE, TIMM, HUGGING_FACE)

# Looked at before the layouts, which only know encoders.
FAMILIES = (*CAE_MODELS, *LINEAR_MODELS)

__all__ = ['FAMILIES', 'HUGGING_FACE', 'LAYOUTS', 'MAE', 'OPENMMLAB', 'SWIN', 'TIMM']
