"""Which of a source's channels the models get."""

from collections.abc import Sequence
from dataclasses import replace

from drivers.errors import SignalMismatchError
from drivers.selection import find_columns, plain_label
from drivers.source import Chunk, SourceInfo


def columns_for(info: SourceInfo, wanted: Sequence[str]) -> list[int]:
    """Find the channels that a bundle was trained on.

    Parameters
    ----------
    info : SourceInfo
        Of the source.
    wanted : sequence of str
        The bundle's labels, in its order.

    Returns
    -------
    list of int
        Columns of the wanted channels, where the source has each of them once, among others
        or in another order (``EMG 1`` is ``EMG1``). Otherwise those of its EMG if they are as
        many, or all columns as they come: devices name their inputs as they like, and
        `Bundle.check` has the last word.
    """
    try:
        return find_columns([channel.label for channel in info.channels], wanted, info.name)
    except SignalMismatchError:
        emg = [n for n, channel in enumerate(info.channels) if channel.type == "EMG"]
        return emg if len(emg) == len(wanted) else list(range(len(info.channels)))


def check_microvolts(columns: Sequence[int], info: SourceInfo) -> None:
    """Refuse channels that are not in microvolts: a wrong unit is heard nowhere.

    Parameters
    ----------
    columns : sequence of int
        From `columns_for`.
    info : SourceInfo
        Of the source.

    Raises
    ------
    SignalMismatchError
        One of them is in another unit, or in none.
    """
    for channel in (info.channels[column] for column in columns):
        if channel.unit != "uV":
            raise SignalMismatchError(
                f"unit of channel {channel.label} of {info.name}, which the models would get",
                value=channel.unit or "none",
                allowed="uV",
                way_out="choose other channels, or say the unit (live.channels and live.unit, of "
                "recordings recordings.channels and recordings.unit)",
            )


def said_of(columns: Sequence[int], info: SourceInfo, wanted: Sequence[str]) -> list[str]:
    """Say what is not as it comes: a choice or another order, and names that nobody knows.

    Parameters
    ----------
    columns : sequence of int
        From `columns_for`.
    info : SourceInfo
        Of the source.
    wanted : sequence of str
        The bundle's labels, as many as there are columns.

    Returns
    -------
    list of str
        A line each, or nothing.
    """
    labels = [channel.label for channel in info.channels]
    there, used = ", ".join(labels), [labels[column] for column in columns]
    lines = []
    if used != labels:
        lines.append(f"of the channels of {info.name} ({there}), the models get {', '.join(used)}")
    if {*map(plain_label, used)} != {*map(plain_label, wanted)}:
        lines.append(
            f"channels of {info.name} are taken by their order: {', '.join(used)} for "
            f"{', '.join(wanted)}, on which the models were trained"
        )
    return lines


def select(chunk: Chunk, columns: Sequence[int]) -> Chunk:
    """Return a chunk with these columns only, in this order.

    Parameters
    ----------
    chunk : Chunk
        Of the source.
    columns : sequence of int
        From `columns_for`.

    Returns
    -------
    Chunk
        The same one where nothing changes.
    """
    if list(columns) == list(range(chunk.samples.shape[1])):
        return chunk
    return replace(
        chunk,
        samples=chunk.samples[:, columns],
        lead_in=None if chunk.lead_in is None else chunk.lead_in[:, columns],
    )
