from .lars import LARS
from .layer_decay import LayerDecayOptimWrapperConstructor
from .wrappers import AmpOptimWrapper, OptimWrapper

__all__ = ['LARS', 'AmpOptimWrapper', 'LayerDecayOptimWrapperConstructor', 'OptimWrapper']
