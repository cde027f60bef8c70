"""Channels of a source for a bundle."""

import numpy as np

from drivers.source import Channel, Chunk, Provenance, SourceInfo
from streamer.session.channels import columns_for, select


def info(*labels: str) -> SourceInfo:
    channels = tuple(Channel(label) for label in labels)
    return SourceInfo("s", "s", channels, 600.0, Provenance.VERIFIED)


def test_the_wanted_channels_are_found_among_others() -> None:
    """A device with an accelerometer must not need another bundle."""
    assert columns_for(info("AUX", "B", "A"), ["A", "B"]) == [2, 1]


def test_channels_that_cannot_be_told_apart_are_not_chosen() -> None:
    """The wrong muscle would sound like the right one."""
    assert columns_for(info("A", "B", "A"), ["A", "B"]) == [0, 1, 2]
    assert columns_for(info("1", "2"), ["A", "B"]) == [0, 1]


def test_selection_keeps_all_else() -> None:
    """Filters must settle on the lead-in of the same channels."""
    samples = np.arange(6, dtype=np.float32).reshape(2, 3)
    chunk = Chunk(samples, 3, 40, 1.0, 1.1, gap_before=4, lead_in=samples + 10)
    assert select(chunk, [0, 1, 2]) is chunk
    chosen = select(chunk, [2, 0])
    np.testing.assert_array_equal(chosen.samples, [[2, 0], [5, 3]])
    assert chosen.lead_in is not None
    np.testing.assert_array_equal(chosen.lead_in, [[12, 10], [15, 13]])
    assert (chosen.epoch, chosen.first_index, chosen.gap_before) == (3, 40, 4)
