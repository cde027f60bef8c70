"""Loops over samples: compiled where numba is there, plain Python where it is not."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function, such that it runs without the interpreter's lock.

    The compiled code is kept beside the source. A function must not call another of its kind
    in another file: that file could change without this one being compiled again.

    Parameters
    ----------
    function : callable
        Of numbers and arrays.

    Returns
    -------
    callable
        The same function, or itself where numba has no wheel.
    """
    try:
        from numba import njit
    except ImportError:
        return function
    try:
        result = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no directory to keep the compiled code in
        result = njit(nogil=True)(function)
    return cast(Function, result)
