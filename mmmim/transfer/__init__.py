"""Checkpoints: reading, recognising, renaming, fitting and reporting."""

from .files import read_checkpoint
from .loader import load_pretrained, read_encoder
from .report import LoadReport
from .whole_model import load_checkpoint

__all__ = ['LoadReport', 'load_checkpoint', 'load_pretrained', 'read_checkpoint', 'read_encoder']
