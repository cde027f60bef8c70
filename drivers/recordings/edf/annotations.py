"""The annotations of an EDF+ or BDF+ file, and when its data records begin."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.edf.layout import Layout

_ONSET = rb"[+-]?\d{1,20}(?:\.\d{0,40})?"
_BEGINS = re.compile(_ONSET)
# onset, duration, texts; the NUL that ends it parts them
_LIST = re.compile(rb"(%b)(?:\x15(\d{0,20}(?:\.\d{0,40})?))?\x14(.*)\x14" % _ONSET, re.DOTALL)
_LONGEST_S = 1e9
_MOST = 1_000_000  # more are none, and would fill the memory


@dataclass(frozen=True)
class Annotation:
    """A text at a time.

    Attributes
    ----------
    onset_s : float
        From the first sample.
    duration_s : float or None
        None where none is written.
    text : str
        Never empty.
    """

    onset_s: float
    duration_s: float | None
    text: str


def read_annotations(layout: Layout) -> tuple[Annotation, ...]:
    """Read all annotations.

    Parameters
    ----------
    layout : Layout
        Of the file.

    Returns
    -------
    tuple of Annotation
        In the order of the file; what is damaged is not among them.

    Raises
    ------
    RecordingError
        There are more than any recording has.
    """
    begin_s = first_onset_s(layout)
    found: list[Annotation] = []
    for signal in layout.signals:
        if not signal.holds_annotations:
            continue
        for record in layout.bytes_of(signal):
            for one in record.tobytes().split(b"\0"):
                match = _LIST.fullmatch(one)
                if match:
                    found += _annotations(match, begin_s)
            if len(found) > _MOST:
                raise RecordingError(
                    f"annotations of {layout.path}", value=f"more than {_MOST}", allowed="fewer"
                )
    return tuple(found)


def first_onset_s(layout: Layout) -> float:
    """Say by how much the first sample is later than the header's time, in seconds."""
    onsets = _onsets(layout, 1)
    return 0.0 if onsets is None or onsets[0] is None else onsets[0]


def record_onsets_s(layout: Layout) -> NDArray[np.float64] | None:
    """Read when each data record begins.

    Parameters
    ----------
    layout : Layout
        Of the file.

    Returns
    -------
    ndarray of float64, shape (records,), or None
        Seconds from the first one; None where one of them is not there.

    Raises
    ------
    RecordingError
        They are not there, in a discontinuous file.
    """
    onsets = _onsets(layout, layout.records)
    if onsets is None or None in onsets:
        if not layout.is_discontinuous:
            return None
        raise RecordingError(
            f"times of the data records of {layout.path}",
            value="none in it" if onsets is None else "unreadable",
            allowed="one for each, in a file with gaps",
            way_out="copy the file again",
        )
    seconds = np.array(onsets, np.float64)
    return np.asarray(seconds - seconds[0])


def _onsets(layout: Layout, records: int) -> Sequence[float | None] | None:
    """Read the first time in each of the first data records; None without annotations."""
    for signal in layout.signals:
        if signal.holds_annotations and signal.samples:
            begins = [_BEGINS.match(one.tobytes()) for one in layout.bytes_of(signal)[:records]]
            return [float(begin[0]) if begin else None for begin in begins]
    return None


def _annotations(match: re.Match[bytes], begin_s: float) -> list[Annotation]:
    onset_s = float(match[1]) - begin_s
    duration_s = float(match[2]) if match[2] and match[2] != b"." else None
    if abs(onset_s) > _LONGEST_S:
        return []
    if duration_s is not None:
        duration_s = min(duration_s, _LONGEST_S)
    return [
        Annotation(onset_s, duration_s, text.decode("utf-8", "replace"))
        for text in match[3].split(b"\x14")
        if text
    ]
