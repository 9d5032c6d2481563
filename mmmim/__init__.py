"""mmmim: masked image modelling for the OpenMMLab stack."""

from .compat import check_stack
from .version import __version__

check_stack()

__all__ = ['__version__', 'load_checkpoint', 'load_pretrained']


def __getattr__(name):
    """The loaders, imported when first asked for: they bring torch and mmpretrain with them."""
    if name in ('load_checkpoint', 'load_pretrained'):
        from . import transfer

        return getattr(transfer, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
