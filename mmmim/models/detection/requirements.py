"""Whether detection can run here, and what to do if not."""

from mmmim.compat import detection_remedy


def detection_problem() -> str | None:
    """Why detection cannot run, or None if it can."""
    try:
        from mmcv.ops import RoIAlign, nms  # noqa: F401
    except ImportError as error:
        return f'mmcv.ops cannot be imported ({error})'
    try:
        import mmdet.models  # noqa: F401
    except Exception as error:  # its gate of mmcv's version is an assertion
        return f'mmdet cannot be imported ({error})'
    return None


def require_detection() -> None:
    """Refuse a detector where it cannot run.

    Raises:
        RuntimeError: If mmdet or the compiled ops are missing, with the remedy.
    """
    problem = detection_problem()
    if problem is not None:
        raise RuntimeError(
            f'Detection needs mmdet and mmcv with compiled ops: {detection_remedy()}. '
            f'Reason: {problem}.'
        )
