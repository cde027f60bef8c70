"""Samples put where they belong in time: a row for each, NaN where it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.errors import RecordingError
from drivers.source import Samples

OUTAGE_S = 60.0
"""A longer loss divides a recording in two instead of filling the memory with NaN."""

_NAN_BYTES = 64 << 20
_NAN_TIMES = 10


@dataclass(frozen=True, eq=False)
class Piece:
    """Samples without an outage.

    Attributes
    ----------
    first : int
        Number of the first row in the epoch.
    emg_uv : ndarray of float32, shape (n, channels)
        With rows of NaN for lost samples.
    """

    first: int
    emg_uv: Samples


class Allowance:
    """Memory for what is not there.

    Parameters
    ----------
    recorded_bytes : int
        Size of what is there: ten times as much and 64 MiB may be lost.
    """

    def __init__(self, recorded_bytes: int) -> None:
        self._left = _NAN_BYTES + _NAN_TIMES * recorded_bytes

    def take(self, size_bytes: int) -> None:
        """Use some of it.

        Raises
        ------
        RecordingError
            There is not so much left.
        """
        self._left -= size_bytes
        if self._left < 0:
            raise RecordingError(
                "lost samples in the XDF file",
                value="far more than there are samples",
                way_out="its time stamps are damaged",
            )


def join(
    runs: Sequence[tuple[int, Samples]],
    end: int | None,
    channels: int,
    rate_hz: float,
    allowance: Allowance,
) -> list[Piece]:
    """Put runs of samples on one grid.

    Parameters
    ----------
    runs : sequence of (int, ndarray of float32)
        Number of the first row of each run, growing, and its samples.
    end : int or None
        Number of rows if known; rows from the last run to there are lost.
    channels : int
        Number of channels.
    rate_hz : float
        Sampling rate.
    allowance : Allowance
        For rows of NaN.

    Returns
    -------
    list of Piece
        One, or more where samples are lost for longer than `OUTAGE_S`; a loss that long
        at the beginning or the end is left out.

    Raises
    ------
    RecordingError
        There would be far more lost rows than others.
    """
    longest = OUTAGE_S * rate_hz
    groups: list[tuple[int, list[tuple[int, Samples]], int]] = []
    begin, last = 0, 0
    group: list[tuple[int, Samples]] = []
    for first, samples in runs:
        if first - last > longest:
            if group:
                groups.append((begin, group, last))
            begin, group = first, []
        group.append((first, samples))
        last = first + len(samples)
    if end is not None and 0 <= end - last <= longest:
        last = end
    if group or end is not None:
        groups.append((begin, group, last))
    pieces = []
    for begin, group, last in groups:
        received = sum(len(samples) for _, samples in group)
        allowance.take((last - begin - received) * channels * 4)
        emg_uv = np.full((last - begin, channels), np.nan, np.float32)
        for first, samples in group:
            emg_uv[first - begin : first - begin + len(samples)] = samples
        pieces.append(Piece(begin, emg_uv))
    return pieces
