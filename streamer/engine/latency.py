"""Where the time goes, stage by stage, for every frame."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STAGES: Final = ("wait", "features", "inference", "vocoder", "buffer", "loudspeaker")
"""In the order in which a frame goes through them.

``wait`` runs from the acquisition of a frame's last sample to the beginning of the work on
it; ``buffer`` hands the voice to the loudspeaker's buffer; ``loudspeaker`` runs from there
until it is played: what waits ahead of it, and the sound card's own latency. The latter is
what the card says through PortAudio, not what a microphone heard.
"""

_COLUMNS: Final = (*STAGES, "compute", "latency", "measured", "fill")
_LIVE: Final = ("wait", "loudspeaker", "latency", "measured", "fill")
_LONGEST = 360_000  # frames: an hour
_ESTIMATES = 36_000
# Delay of one's own voice.
_CLASSES = ((50.0, "good"), (100.0, "acceptable"), (150.0, "marginal"))


@dataclass(frozen=True)
class Percentiles:
    """Spread of a duration, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def latency_class(total_ms: float) -> str:
    """Say how one's own voice feels, so much later.

    Parameters
    ----------
    total_ms : float
        From an EMG instant to its sound.

    Returns
    -------
    str
        ``"good"`` up to 50 ms, ``"acceptable"`` up to 100, ``"marginal"`` up to 150, else
        ``"disruptive"``.
    """
    return next((name for most_ms, name in _CLASSES if total_ms <= most_ms), "disruptive")


class LatencyTrace:
    """Stamps of the last hour's frames.

    Parameters
    ----------
    acquired : bool
        Acquisition times and ``perf_counter`` are one clock; else there are no latencies,
        only computing times.
    card_s : callable
        Returns the output latency of the sound card now; None where there is none: stages end
        where a card would have taken the voice, and nothing is said of when it is heard.
    """

    def __init__(
        self, *, acquired: bool, card_s: Callable[[], float | None] = lambda: None
    ) -> None:
        self.frames = 0
        self._acquired = acquired
        self._card_s = card_s
        self._rows: NDArray[np.float32] = np.empty((1024, len(_COLUMNS)), dtype=np.float32)
        self._spent_s = [0.0] * 4  # since the last frame
        self._estimates_ms: deque[float] = deque(maxlen=_ESTIMATES)

    def add(
        self,
        frame_times_s: Sequence[float],
        started_s: float,
        stage_s: tuple[float, float, float],
        buffered_s: float,
        *,
        fill_s: float | None = None,
        ahead_s: float | None = None,
    ) -> None:
        """Take the frames that were made together.

        Time spent while no frame came of it is the next frame's, and frames that were made
        together share theirs.

        Parameters
        ----------
        frame_times_s : sequence of float, of m frames
            When each frame's last sample was acquired.
        started_s : float
            When the work began.
        stage_s : tuple of float
            Time for features, inference and vocoder.
        buffered_s : float
            When the voice was in the loudspeaker's buffer.
        fill_s : float, optional
            What waited in the buffer right before the EMG came; None where nothing plays.
        ahead_s : float, optional
            What waited there ahead of the voice; None where nothing plays.
        """
        spent_s, made_s = self._spent_s, started_s + sum(stage_s)
        for stage, took_s in enumerate((*stage_s, buffered_s - made_s)):
            spent_s[stage] += took_s
        m = len(frame_times_s)
        if not m:
            return
        self._make_room(m)
        heard_s = np.nan if ahead_s is None else buffered_s + ahead_s + (self._card_s() or 0.0)
        shares_s = [took_s / m for took_s in spent_s]
        for time_s in frame_times_s:
            # The voice of each frame waits behind that of the frames before, which are older.
            speaks_s = heard_s + time_s - frame_times_s[0]
            self._rows[self.frames % len(self._rows)] = (
                1000 * (started_s - time_s),
                *(1000 * share_s for share_s in shares_s),
                1000 * (speaks_s - buffered_s),
                1000 * sum(shares_s),
                1000 * (buffered_s - time_s),
                1000 * (speaks_s - time_s),
                np.nan if fill_s is None else 1000 * fill_s,
            )
            self.frames += 1
        self._spent_s = [0.0] * 4

    def add_estimate(self, took_s: float) -> None:
        """Take the time of an estimate, which is made beside the voice."""
        self._estimates_ms.append(1000 * took_s)

    def percentiles(self, column: str, last: int = _LONGEST) -> Percentiles | None:
        """Return the spread of one stage, or of several together.

        Parameters
        ----------
        column : str
            One of `STAGES`; ``"compute"``: those from ``features`` to ``buffer``;
            ``"latency"``: from the acquisition to the loudspeaker's buffer; ``"measured"``:
            on to the loudspeaker; ``"fill"``: what waited when EMG came.
        last : int
            Only of so many frames.

        Returns
        -------
        Percentiles or None
            None where nothing is known. Frames handed over while nothing plays have no
            ``loudspeaker``, ``measured`` and ``fill``.
        """
        if column in _LIVE and not self._acquired:
            return None
        number = _COLUMNS.index(column)
        rows, frames = self._rows, self.frames
        n = min(last, frames, len(rows))
        values_ms = rows[np.arange(frames - n, frames) % len(rows), number]
        values_ms = values_ms[~np.isnan(values_ms)]
        return _spread(values_ms) if len(values_ms) else None

    def total(self, algorithmic_ms: float, last: int = _LONGEST) -> Percentiles | None:
        """Return the spread of the latency of the voice, from an EMG instant to its sound.

        Parameters
        ----------
        algorithmic_ms : float
            Of the bundle: from an EMG instant to its sound, were all else free.
        last : int
            Only of so many frames.

        Returns
        -------
        Percentiles or None
            None where nothing is known.
        """
        measured = self.percentiles("measured", last)
        if measured is None or self._card_s() is None:
            return None
        return Percentiles(*(round(algorithmic_ms + ms, 4) for ms in vars(measured).values()))

    def as_dict(self, algorithmic_ms: float) -> dict[str, Any]:
        """Return what ``latency.json`` says.

        Parameters
        ----------
        algorithmic_ms : float
            As `total` takes it.

        Returns
        -------
        dict
            Spreads by stage; ``total_ms`` with the class of its median; ``card_ms``, which
            is part of ``loudspeaker``.
        """
        spreads = {column: self.percentiles(column) for column in _COLUMNS}
        spreads["estimate"] = _spread(np.array(self._estimates_ms)) if self._estimates_ms else None
        total, card_s = self.total(algorithmic_ms), self._card_s()
        return {
            "frames": self.frames,
            "algorithmic_ms": algorithmic_ms,
            "card_ms": None if card_s is None else round(1000 * card_s, 4),
            "total_ms": None if total is None else total_as_dict(total),
            **{name: None if spread is None else vars(spread) for name, spread in spreads.items()},
        }

    def _make_room(self, more: int) -> None:
        end = self.frames + more
        if end > len(self._rows) < _LONGEST:
            room = min(max(end, 2 * len(self._rows)), _LONGEST) - len(self._rows)
            self._rows = np.concatenate((self._rows, np.empty((room, len(_COLUMNS)), np.float32)))


def total_as_dict(total: Percentiles) -> dict[str, Any]:
    """Return a total latency, and its class by its median.

    Parameters
    ----------
    total : Percentiles
        As `LatencyTrace.total` gives it.

    Returns
    -------
    dict
        ``p50``, ``p95``, ``p99``, ``max`` and ``class``.
    """
    spread = {name.removesuffix("_ms"): ms for name, ms in vars(total).items()}
    return spread | {"class": latency_class(total.p50_ms)}


def _spread(values_ms: NDArray[np.floating]) -> Percentiles:
    return Percentiles(*(round(float(ms), 4) for ms in np.percentile(values_ms, (50, 95, 99, 100))))
