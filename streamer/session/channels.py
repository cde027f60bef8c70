"""Which of a source's channels the models get."""

from collections.abc import Sequence
from dataclasses import replace

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
        or in another order. Otherwise all columns as they come: devices name their inputs as
        they like, and `Bundle.check` has the last word.
    """
    labels = [channel.label for channel in info.channels]
    if all(labels.count(label) == 1 for label in wanted):
        return [labels.index(label) for label in wanted]
    return list(range(len(labels)))


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
