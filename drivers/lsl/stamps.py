"""How far a sender's time stamps can be believed.

A sample is stamped before it arrives here, and not long before. Stamps that say otherwise are
of a clock that was set, or of one that liblsl does not compare with ours, such as a device's
own. Taken at their word they would be a loss of hours that nobody lived through.
"""

import numpy as np
from numpy.typing import NDArray

AHEAD_S = 0.25
"""A stamp later than its sample's arrival by more is not believed, nor is one that much
earlier than the stamp before it: no comparison of clocks is as bad, and no smaller jump
invents a longer loss."""

BEHIND_S = 30.0
"""Nor is a stamp that much earlier than the arrival: liblsl keeps nothing for longer than 10 s."""


class SenderClock:
    """What has to be added to a sender's stamps before they are believed.

    As long as they are within the bounds, nothing. Else the sample where they leave them is
    put where its arrival says, or, if that is nearly there, right behind the one before.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.

    Attributes
    ----------
    shift_s : float
        Added to the latest stamp.
    resets : int
        Times that the clock was found to be another one.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._expected_s: float | None = None
        self.shift_s = 0.0
        self.resets = 0

    def restart(self) -> None:
        """Believe the stamps again: they are those of another connection."""
        self.shift_s = 0.0
        self._expected_s = None

    def shifts(self, stamps_s: NDArray[np.float64], received_s: float) -> NDArray[np.float64]:
        """Compare stamps with the arrival of their samples.

        Parameters
        ----------
        stamps_s : ndarray of float64, shape (n,)
            Stamps of the next samples, n > 0, brought to this machine's clock.
        received_s : float
            Arrival of the last one on the same clock.

        Returns
        -------
        ndarray of float64, shape (n,)
            To be added to them.
        """
        period_s = 1 / self._rate_hz
        shifts_s = np.full(len(stamps_s), self.shift_s)
        row = -1
        while True:
            believed_s = stamps_s + shifts_s
            before_s = believed_s[0] if self._expected_s is None else self._expected_s - period_s
            ahead_s = believed_s - received_s
            wrong = (ahead_s > AHEAD_S) | (ahead_s < -BEHIND_S)
            wrong |= np.diff(believed_s, prepend=before_s) < -AHEAD_S
            wrong[: row + 1] = False  # no better is known for these
            if not wrong.any():
                break
            row = int(np.argmax(wrong))
            arrived_s = received_s - (len(stamps_s) - 1 - row) * period_s
            expected_s = float(believed_s[row - 1]) + period_s if row else self._expected_s
            if expected_s is None or abs(arrived_s - expected_s) > AHEAD_S:
                expected_s = arrived_s
            shifts_s[row:] = expected_s - stamps_s[row]
            self.resets += 1
        self.shift_s = float(shifts_s[-1])
        self._expected_s = float(stamps_s[-1]) + self.shift_s + period_s
        return shifts_s
