from .layer_decay import LayerDecayOptimWrapperConstructor
from .wrappers import AmpOptimWrapper, OptimWrapper

__all__ = ['AmpOptimWrapper', 'LayerDecayOptimWrapperConstructor', 'OptimWrapper']
