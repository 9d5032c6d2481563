from . import hooks, optimizers
from .log_processor import LogProcessor
from .runner import Runner

__all__ = ['LogProcessor', 'Runner', 'hooks', 'optimizers']
