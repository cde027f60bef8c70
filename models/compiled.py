"""Loops over samples: compiled where numba is there, plain Python where it is not."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

_log = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function, such that it runs without the interpreter's lock.

    The compiled code is kept beside the source, or in the user's cache; where neither can be
    written, each process compiles anew, and warns of it. A function must not call another of its
    kind in another file: that file could change without this one being compiled again.

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
        _warn()
        result = njit(nogil=True)(function)
    return cast(Function, result)


@cache
def _warn() -> None:
    """Warn once, and not for each function."""
    _log.warning(
        "compiled code cannot be kept, because neither the package nor the home directory can be "
        "written: each start takes some seconds more; name a directory with NUMBA_CACHE_DIR"
    )
