"""How long work tells how far it has come."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""


def nobody(what: str, done: int, total: int) -> None:
    """Tell nobody."""
