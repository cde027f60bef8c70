"""Channels of a stream, and what makes microvolts of them."""

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.xdf.heads import StreamHead
from drivers.source import Channel
from drivers.units import uv_per


def channels_of(head: StreamHead, thing: str) -> tuple[tuple[Channel, ...], NDArray[np.float64]]:
    """Read the channels that a stream describes.

    Parameters
    ----------
    head : StreamHead
        Its header.
    thing : str
        The stream, as an error names it.

    Returns
    -------
    channels : tuple of Channel
        EMG in microvolts, others as they are. One without a label gets its number, one
        without a type that of the stream.
    factors : ndarray of float64, shape (channels,)
        What samples are multiplied with.

    Raises
    ------
    RecordingError
        An EMG channel has no unit, or one that is no voltage: a guess could be wrong by
        a factor of a thousand.
    """
    described = head.info.findall("desc/channels/channel")
    channels: list[Channel] = []
    factors: list[float] = []
    labels: set[str] = set()
    for number in range(head.channels):
        text = dict.fromkeys(("label", "unit", "type"), "")
        if len(described) == head.channels:
            text = {key: (described[number].findtext(key) or "").strip() for key in text}
        label = text["label"]
        if not label or label in labels:
            label = f"{label}-{number + 1}" if label else str(number + 1)
        labels.add(label)
        kind = text["type"] or head.type
        factor: float | None = 1.0
        if kind.upper() == "EMG":
            kind, factor = "EMG", uv_per(text["unit"])
        if factor is None:
            raise RecordingError(
                f"unit of channel {label} of {thing}",
                value=text["unit"] or "none",
                allowed="microvolts, mV, V",
                way_out="let the program that sends it say desc/channels/channel/unit",
            )
        factors.append(factor)
        channels.append(Channel(label, "uV" if kind == "EMG" else text["unit"], kind))
    return tuple(channels), np.array(factors)
