"""Where the time goes, stage by stage, for every frame."""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.signal.operator import Array

STAGES: Final = ("wait", "features", "inference", "vocoder", "buffer")
"""In the order in which a frame goes through them.

``wait`` runs from the acquisition of a frame's last sample to the beginning of the work on
it; ``buffer`` hands the voice to the loudspeaker.
"""

_COLUMNS: Final = (*STAGES, "compute", "latency")
_LONGEST = 360_000  # frames: an hour
_ESTIMATES = 36_000


@dataclass(frozen=True)
class Percentiles:
    """Spread of a duration, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class LatencyTrace:
    """Stamps of the last hour's frames.

    Parameters
    ----------
    acquired : bool
        Acquisition times and ``perf_counter`` are one clock; else there are no latencies,
        only computing times.
    """

    def __init__(self, *, acquired: bool) -> None:
        self.frames = 0
        self._acquired = acquired
        self._rows: NDArray[np.float32] = np.empty((1024, len(_COLUMNS)), dtype=np.float32)
        self._spent_s = np.zeros(4)  # since the last frame
        self._estimates_ms: deque[float] = deque(maxlen=_ESTIMATES)

    def add(
        self,
        frame_times_s: Array,
        started_s: float,
        stage_s: tuple[float, ...],
        buffered_s: float,
    ) -> None:
        """Take the frames that were made together.

        Time spent while no frame came of it is the next frame's, and frames that were made
        together share theirs.

        Parameters
        ----------
        frame_times_s : ndarray, shape (m,)
            When each frame's last sample was acquired.
        started_s : float
            When the work began.
        stage_s : tuple of float
            Time for features, inference and vocoder.
        buffered_s : float
            When the voice was in the loudspeaker's buffer.
        """
        made_s = started_s + sum(stage_s)
        self._spent_s += (*stage_s, buffered_s - made_s)
        m = len(frame_times_s)
        if not m:
            return
        rows = np.empty((m, len(_COLUMNS)))
        rows[:, 0] = started_s - frame_times_s
        rows[:, 1:5] = self._spent_s / m
        rows[:, 5] = self._spent_s.sum() / m
        rows[:, 6] = buffered_s - frame_times_s
        self._spent_s[:] = 0
        end = self.frames + m
        if end > len(self._rows) < _LONGEST:
            more = min(max(end, 2 * len(self._rows)), _LONGEST) - len(self._rows)
            self._rows = np.concatenate((self._rows, np.empty((more, len(_COLUMNS)), np.float32)))
        self._rows[np.arange(self.frames, end) % len(self._rows)] = 1000 * rows
        self.frames = end

    def add_estimate(self, took_s: float) -> None:
        """Take the time of an estimate, which is made beside the voice."""
        self._estimates_ms.append(1000 * took_s)

    def percentiles(self, column: str, last: int = _LONGEST) -> Percentiles | None:
        """Return the spread of one stage, of ``compute`` or of ``latency``.

        Parameters
        ----------
        column : str
            One of `STAGES`; ``"compute"``: all of them but ``wait``; ``"latency"``: from the
            acquisition to the loudspeaker's buffer.
        last : int
            Only of so many frames.

        Returns
        -------
        Percentiles or None
            None where nothing is known.
        """
        number = _COLUMNS.index(column)
        rows, frames = self._rows, self.frames
        n = min(last, frames, len(rows))
        if not n or (column in ("wait", "latency") and not self._acquired):
            return None
        return _spread(rows[np.arange(frames - n, frames) % len(rows), number])

    def as_dict(self, algorithmic_ms: float) -> dict[str, Any]:
        """Return what ``latency.json`` says.

        Parameters
        ----------
        algorithmic_ms : float
            Of the bundle: from an EMG instant to its sound, were all else free.
        """
        spreads = {column: self.percentiles(column) for column in _COLUMNS}
        spreads["estimate"] = _spread(np.array(self._estimates_ms)) if self._estimates_ms else None
        return {
            "frames": self.frames,
            "algorithmic_ms": algorithmic_ms,
            **{name: None if spread is None else vars(spread) for name, spread in spreads.items()},
        }


def _spread(values_ms: NDArray[np.floating]) -> Percentiles:
    return Percentiles(*(round(float(ms), 4) for ms in np.percentile(values_ms, (50, 95, 99, 100))))
