"""One small file per naming scheme; the order is the order of recognition."""

from .huggingface import HUGGING_FACE
from .openmmlab import OPENMMLAB
from .timm import MAE, TIMM

LAYOUTS = (OPENMMLAB, MAE, TIMM, HUGGING_FACE)

__all__ = ['HUGGING_FACE', 'LAYOUTS', 'MAE', 'OPENMMLAB', 'TIMM']
