"""What is done to recordings before they are played: a later start, injected gaps."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from drivers.errors import SourceError
from drivers.recordings.recording import Recording, Segment
from drivers.replay.epoch import lost_rows


def skip(recordings: Iterable[Recording], start_s: float) -> Iterator[Recording]:
    """Leave out the first `start_s` seconds of a series.

    Recordings that end before are left out; of the one that lies across, audio, markers
    and phones are cut as the EMG is, and the EMG before the cut becomes its lead-in, as
    far back as nothing is lost.

    Parameters
    ----------
    recordings : iterable of Recording
        The series.
    start_s : float
        Seconds, 0 or more.

    Yields
    ------
    Recording
        What is left.
    """
    left_s = start_s
    for recording in recordings:
        index = round(left_s * recording.rate_hz)
        if 0 < index >= len(recording.emg_uv):
            left_s -= recording.duration_s
            continue
        yield recording if index == 0 else _cut(recording, index)
        left_s = 0.0


def _cut(recording: Recording, index: int) -> Recording:
    """Let the recording begin at sample `index`."""
    cut_s = index / recording.rate_hz
    audio = recording.audio
    if audio is not None and recording.audio_rate_hz is not None:
        audio = audio[round(cut_s * recording.audio_rate_hz) :]
    before = recording.emg_uv[:index]
    lost = np.flatnonzero(lost_rows(before))
    lead_in = before[lost[-1] + 1 :] if len(lost) else before
    return replace(
        recording,
        emg_uv=recording.emg_uv[index:],
        lead_in_uv=lead_in if len(lead_in) else None,
        markers=tuple(
            replace(m, index=m.index - index) for m in recording.markers if m.index >= index
        ),
        audio=audio,
        phones=tuple(
            Segment(max(p.start_s - cut_s, 0.0), p.end_s - cut_s, p.label)
            for p in recording.phones
            if p.end_s > cut_s
        ),
        recorded_at=recording.recorded_at and recording.recorded_at + timedelta(seconds=cut_s),
    )


def parse_gap(text: str) -> tuple[float, float]:
    """Read a gap as the command line has it.

    Parameters
    ----------
    text : str
        ``START:LENGTH`` in seconds of the series: ``"12.5:0.3"``.

    Returns
    -------
    start_s, length_s : float
        For `inject_gaps`.

    Raises
    ------
    SourceError
        The text is no such gap.
    """
    try:
        start_s, length_s = (float(part) for part in text.split(":"))
        _check_gap(start_s, length_s)
    except ValueError:
        raise SourceError(
            "gap", value=repr(text), allowed="START:LENGTH in seconds, such as 12.5:0.3"
        ) from None
    return start_s, length_s


def inject_gaps(
    recordings: Iterable[Recording], gaps: Sequence[tuple[float, float]]
) -> "GappedRecordings":
    """Let samples be lost that are not.

    The time is that of the whole series, before a later start is chosen, and begins anew
    in each round of a loop. A gap may reach into the next recording, and gaps may overlap:
    a sample is lost once.

    Parameters
    ----------
    recordings : iterable of Recording
        The series.
    gaps : sequence of (float, float)
        Start and length in seconds, from sample round(start * rate) to, exclusively,
        round((start + length) * rate).

    Returns
    -------
    GappedRecordings
        The series with the gaps; it can be iterated as often as `recordings`.

    Raises
    ------
    SourceError
        A gap that begins before the series, or has no length.
    """
    for start_s, length_s in gaps:
        _check_gap(start_s, length_s)
    return GappedRecordings(recordings, tuple(gaps))


class GappedRecordings:
    """A series of recordings with gaps that were not recorded, see `inject_gaps`.

    Parameters
    ----------
    recordings : iterable of Recording
        The series.
    gaps : tuple of (float, float)
        Start and length in seconds.
    """

    def __init__(
        self, recordings: Iterable[Recording], gaps: tuple[tuple[float, float], ...]
    ) -> None:
        self._recordings = recordings
        self._gaps = gaps
        self._reached = [False] * len(gaps)

    def __iter__(self) -> Iterator[Recording]:
        """Yield the recordings; those without a gap as they are."""
        begin_s = 0.0
        for recording in self._recordings:
            yield self._with_gaps(recording, begin_s)
            begin_s += recording.duration_s

    @property
    def notes(self) -> list[str]:
        """A line for each gap that was not met so far, such as one behind the end."""
        return [
            f"gap {start_s:g}:{length_s:g} was not played: the replay came to no sample in it"
            for (start_s, length_s), reached in zip(self._gaps, self._reached, strict=True)
            if not reached
        ]

    def _with_gaps(self, recording: Recording, begin_s: float) -> Recording:
        emg = recording.emg_uv
        for k, (start_s, length_s) in enumerate(self._gaps):
            first = max(round((start_s - begin_s) * recording.rate_hz), 0)
            end = max(round((start_s + length_s - begin_s) * recording.rate_hz), 0)
            if first < min(end, len(emg)):
                if emg is recording.emg_uv:
                    emg = emg.copy()
                emg[first:end] = np.nan
                self._reached[k] = True
        return recording if emg is recording.emg_uv else replace(recording, emg_uv=emg)


def _check_gap(start_s: float, length_s: float) -> None:
    if not (start_s >= 0 and length_s > 0 and math.isfinite(start_s + length_s)):
        raise SourceError(
            "gap",
            value=f"{start_s:g}:{length_s:g}",
            allowed="START:LENGTH in seconds, from 0 on and longer than 0",
        )
