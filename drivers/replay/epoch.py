"""One recording on its way out: which samples come next, and what was lost before them."""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.recording import Recording
from drivers.source import UTTERANCE, Marker, Samples


def lost_rows(emg: Samples) -> NDArray[np.bool_]:
    """Say of each sample whether it is known to be lost: no channel has a value.

    A sample that has some values but not all is no loss of the device's; it is handed on
    as it is, and the session counts it as invalid.

    Parameters
    ----------
    emg : ndarray of float32, shape (n, channels)
        As in a recording.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where the sample is lost.
    """
    return np.asarray(np.isnan(emg).all(axis=1))


class Epoch:
    """What is left of a recording that is being played.

    Parameters
    ----------
    recording : Recording
        With rows of NaN where samples are known to be lost.
    chunk_s : float
        Chunks end at round(k * chunk_s * rate), before lost samples, and at the end.

    Attributes
    ----------
    next : int
        First sample that is neither handed out nor counted as lost.
    """

    def __init__(self, recording: Recording, chunk_s: float) -> None:
        self.recording = recording
        self.next = 0
        self._chunk = chunk_s * recording.rate_hz
        lost = lost_rows(recording.emg_uv)
        edges = np.flatnonzero(np.diff(~lost, prepend=False, append=False))
        self._runs: deque[tuple[int, int]] = deque(
            zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        )
        stored = sorted(recording.markers, key=lambda marker: marker.index)
        self._markers = deque([Marker(0, UTTERANCE + recording.name), *stored])

    def __len__(self) -> int:
        """Return the number of samples, lost ones counted in."""
        return len(self.recording.emg_uv)

    @property
    def done(self) -> bool:
        """Whether no sample is left; lost ones may be."""
        return not self._runs

    @property
    def begin(self) -> int:
        """First sample of the next chunk; behind the lost ones at the end, the length."""
        return max(self.next, self._runs[0][0]) if self._runs else len(self)

    def first_end(self) -> int:
        """Where the next chunk ends at the earliest."""
        if not self._runs:
            return len(self)
        k = math.floor(self.begin / self._chunk)
        while round(k * self._chunk) <= self.begin:
            k += 1
        return min(round(k * self._chunk), self._runs[0][1])

    def last_end(self, due: int) -> int:
        """Where the next chunk ends at the latest, when the samples before `due` are there."""
        run_end = self._runs[0][1]
        if due >= run_end:
            return run_end
        k = math.ceil(due / self._chunk) + 1
        while round(k * self._chunk) > due:
            k -= 1
        return max(round(k * self._chunk), self.first_end())

    def take(self, end: int) -> tuple[Samples, int, tuple[Marker, ...]]:
        """Hand out the samples up to `end`.

        Returns
        -------
        samples : ndarray of float32, shape (n, channels)
            At least one.
        gap : int
            How many were lost right before them.
        markers : tuple of Marker
            Those in the samples and in the gap, in their order, each at its own sample.
        """
        begin, gap = self.begin, self.begin - self.next
        if end == self._runs[0][1]:
            self._runs.popleft()
        markers = []
        while self._markers and self._markers[0].index < end:
            markers.append(self._markers.popleft())
        self.next = end
        return self.recording.emg_uv[begin:end], gap, tuple(markers)

    def end(self) -> tuple[int, int]:
        """Come to the end.

        Returns
        -------
        lost : int
            Samples that were lost behind the last one handed out.
        markers : int
            Markers that have no sample to come with.
        """
        lost, self.next = len(self) - self.next, len(self)
        return lost, len(self._markers)
