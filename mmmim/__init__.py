"""mmmim: masked image modelling for the OpenMMLab stack."""

from .compat import check_stack
from .version import __version__

check_stack()

__all__ = ['__version__']
