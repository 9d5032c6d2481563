"""Whether detection can run here, and what to do if not."""

REMEDY = (
    'Detection needs mmdet and mmcv with compiled ops: run `bash tools/setup_env.sh`, or '
    '`pip install "mmmim[onedl-det]"` and rebuild mmcv with '
    '`pip install --no-cache-dir --no-build-isolation --force-reinstall --no-deps onedl-mmcv`.'
)


def detection_problem() -> str | None:
    """Why detection cannot run, or None if it can."""
    try:
        from mmcv.ops import RoIAlign, nms  # noqa: F401
    except ImportError as error:
        return f'mmcv.ops cannot be imported ({error})'
    try:
        import mmdet.models  # noqa: F401
    except ImportError as error:
        return f'mmdet cannot be imported ({error})'
    return None


def require_detection() -> None:
    """Refuse a detector where it cannot run.

    Raises:
        RuntimeError: If mmdet or the compiled ops are missing, with the remedy.
    """
    problem = detection_problem()
    if problem is not None:
        raise RuntimeError(f'{REMEDY} Reason: {problem}.')
