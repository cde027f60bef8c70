"""Channels of a source for a bundle."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from drivers.source import Channel, Chunk, Provenance, SourceInfo
from streamer.session.channels import check_microvolts, columns_for, said_of, select


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


def test_another_spelling_is_no_other_channel() -> None:
    """A trigger beside the EMG of an EDF file made it unusable."""
    source = info("EMG 2", "EMG 1", "Trigger")
    assert columns_for(source, ["EMG1", "EMG2"]) == [1, 0]


def test_what_is_no_emg_is_not_counted() -> None:
    """A counter beside six inputs of unknown names is no seventh muscle."""
    source = info("1", "2", "Counter")
    source = replace(source, channels=(*source.channels[:2], Channel("Counter", "", "AUX")))
    assert columns_for(source, ["EMG1", "EMG2"]) == [0, 1]
    assert len(said_of([0, 1], source, ["EMG1", "EMG2"])) == 2


@pytest.mark.parametrize("unit", ["", "mV", "V", "a.u.", "s"])
def test_the_models_get_microvolts_or_nothing(unit: str) -> None:
    """Whatever a source forgot, a unit that is wrong by a thousand is heard nowhere."""
    source = info("A", "B")
    source = replace(source, channels=(Channel("A"), Channel("B", unit, "EEG")))
    check_microvolts([0], source)
    with pytest.raises(SignalMismatchError, match="unit of channel B .*allowed: uV"):
        check_microvolts([0, 1], source)
