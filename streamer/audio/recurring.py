"""One mishap is bad luck, two of them in a minute are not."""

_WHILE_S = 60.0


class Recurring:
    """Tells whether a mishap is likely to come again.

    A single one on a busy day must not make the voice later for good.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None

    def again(self, now_s: float) -> bool:
        """Take a mishap; return whether there was another one less than a minute ago."""
        last_s, self._last_s = self._last_s, now_s
        return last_s is not None and now_s - last_s < _WHILE_S
