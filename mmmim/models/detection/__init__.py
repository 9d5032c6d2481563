"""Parts for mmdet. Everything else of the package works without mmdet and without compiled ops."""

from mmmim.registry import MODELS

from .requirements import detection_problem, require_detection

NAMES = ('CascadeRoIHead', 'RPNHead', 'SingleRoIExtractor', 'StandardRoIHead')


def _refuse(*args, **kwargs):
    """Stands in for a part that cannot work here, so that building it says why."""
    require_detection()


if detection_problem() is None:
    from .fp32 import CascadeRoIHead, RPNHead, SingleRoIExtractor, StandardRoIHead  # noqa: F401
else:
    for _name in NAMES:
        MODELS.register_module(name=_name, module=_refuse)

__all__ = ['detection_problem', 'require_detection']
