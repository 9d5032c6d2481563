from .. import registry  # noqa: F401  before mmpretrain, which it keeps quiet
from .knn import knn_predict
from .linear_probe import LinearProbe, choose_linear_probe, fit_linear_probe
from .subset_accuracy import SubsetAccuracy

__all__ = [
    'LinearProbe',
    'SubsetAccuracy',
    'choose_linear_probe',
    'fit_linear_probe',
    'knn_predict',
]
