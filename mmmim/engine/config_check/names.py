"""The nearest valid name."""

import difflib


def suggestion(name, candidates):
    """``'; did you mean 'x'?'`` or a full stop, if nothing is near."""
    candidates = [str(candidate) for candidate in candidates]
    folded = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(str(name).lower(), folded, 1, 0.6)
    return f'; did you mean {folded[near[0]]!r}?' if near else '.'


def is_typing_error(name, candidates):
    """Whether ``name`` is so near one of the candidates that it must have been meant."""
    return bool(difflib.get_close_matches(str(name), [str(c) for c in candidates], 1, 0.88))
