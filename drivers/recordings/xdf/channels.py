"""Channels of a stream, and what makes microvolts of them."""

from drivers.recordings.xdf.heads import StreamHead, text_of
from drivers.units import InMicrovolts, in_microvolts, unique_labels


def channels_of(head: StreamHead, thing: str, unit: str | None = None) -> InMicrovolts:
    """Read the channels that a stream describes.

    Parameters
    ----------
    head : StreamHead
        Its header.
    thing : str
        The stream, as an error names it.
    unit : str, optional
        Of the EMG; overrules what the stream says.

    Returns
    -------
    InMicrovolts
        Channels in their final units, and what samples are multiplied with. A channel
        without a label gets its number, one without a type that of the stream.

    Raises
    ------
    RecordingError
        Nothing of the EMG has a unit, or only one that is no voltage.
    """
    described = head.info.findall("desc/channels/channel")
    if len(described) != head.channels:
        described = []
    texts = [
        [text_of(channel, key) for key in ("label", "unit", "type")] for channel in described
    ] or [["", "", ""]] * head.channels
    return in_microvolts(
        unique_labels([label or str(n) for n, (label, _, _) in enumerate(texts, 1)]),
        [unit for _, unit, _ in texts],
        [kind or head.type for _, _, kind in texts],
        thing,
        overruled_by=unit,
        powers_of_ten=True,
    )
