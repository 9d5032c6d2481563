"""Which keywords a class or function takes, ``**kwargs`` followed to where they end."""

import ast
import functools
import inspect
import textwrap

_READERS = ('pop', 'get', 'setdefault')


@functools.cache
def accepted_keywords(target):
    """Keywords of a callable.

    ``**kwargs`` of a constructor that only hands them to ``super().__init__`` add what the next
    class takes; ``kwargs.pop('x')`` adds ``x``; any other use leaves the set open.

    Args:
        target (type | Callable): Class or function.

    Returns:
        tuple[frozenset, bool]: Names, and whether other names are accepted too.
    """
    if not inspect.isclass(target):
        return _of_function(target)
    names, skip_to = set(), None
    for owner in target.__mro__:
        init = owner.__dict__.get('__init__')
        if skip_to is not None:  # super(X, self) goes on behind X
            skip_to = None if owner.__name__ == skip_to else skip_to
            continue
        if init is None:
            continue
        if owner is object or owner.__module__ == 'torch.nn.modules.module':
            break
        own, has_kwargs = _parameters(init)
        names |= own
        if not has_kwargs:
            break
        read, forwarded, skip_to = _use_of_kwargs(init)
        names |= read
        if not forwarded:
            return frozenset(names), True
        skip_to = None if skip_to == owner.__name__ else skip_to
    return frozenset(names), False


def _of_function(function):
    try:
        names, has_kwargs = _parameters(function)
    except (TypeError, ValueError):
        return frozenset(), True
    return frozenset(names), has_kwargs


def _parameters(function):
    """Names of the parameters, and whether ``**kwargs`` is among them."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = {p.name for p in parameters if p.kind in kinds} - {'self'}
    return names, any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


def _use_of_kwargs(init):
    """What a constructor does with its ``**kwargs``.

    Returns:
        tuple[set, bool, str | None]: Names it takes out of them, whether the rest goes to another
        constructor of the class alone, and the X of ``super(X, self)``.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(init))))
    except (OSError, TypeError, SyntaxError):
        return set(), False, None
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef) or function.args.kwarg is None:
        return set(), False, None
    kwargs = function.args.kwarg.arg
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == kwargs]
    read, explained, forwarded, behind = set(), set(), False, None
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            forwards = [k.value for k in node.keywords if k.arg is None]
            if _is_init(node.func) and any(use in forwards for use in uses):
                explained.update(id(value) for value in forwards)
                forwarded, behind = True, _explicit_super(node.func)
            name = _read_name(node, kwargs)
            if name:
                read.add(name)
                explained.add(id(node.func.value))
        elif isinstance(node, ast.Compare) and _is_membership(node, kwargs):
            read.add(node.left.value)
            explained.add(id(node.comparators[0]))
    return read, forwarded and all(id(use) in explained for use in uses), behind


def _is_init(function):
    return isinstance(function, ast.Attribute) and function.attr == '__init__'


def _explicit_super(function):
    """``X`` of ``super(X, self).__init__``."""
    call = function.value
    if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name):
        return call.args[0].id
    return None


def _read_name(call, kwargs):
    """``x`` of ``kwargs.pop('x')`` and its like."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and function.attr in _READERS):
        return None
    if not (isinstance(function.value, ast.Name) and function.value.id == kwargs):
        return None
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) else None


def _is_membership(node, kwargs):
    """``'x' in kwargs``."""
    right = node.comparators[0]
    return (
        isinstance(node.left, ast.Constant)
        and isinstance(node.ops[0], (ast.In, ast.NotIn))
        and isinstance(right, ast.Name)
        and right.id == kwargs
    )
