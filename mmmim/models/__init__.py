"""Models: the parts of every method, and how they fit together."""

from .. import registry  # noqa: F401  before mmpretrain, which it keeps quiet
from . import (
    algorithms,
    backbones,
    corruptions,
    detection,
    heads,
    losses,
    necks,
    preprocessor,
    repeated_views,
    targets,
    tokenizers,
)

__all__ = [
    'algorithms',
    'backbones',
    'corruptions',
    'detection',
    'heads',
    'losses',
    'necks',
    'preprocessor',
    'repeated_views',
    'targets',
    'tokenizers',
]
