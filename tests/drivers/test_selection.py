"""Choosing channels of a source by their labels."""

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.replay import ReplaySource
from drivers.selection import SelectedChannels, find_columns
from drivers.source import Channel, Marker, SourceState


def replay(recording, **settings):
    return ReplaySource([recording], clock=VirtualClock(), **settings)


def test_channels_come_in_the_order_in_which_they_are_named(make_recording):
    """A bundle gets the muscles that it was trained on, whatever the wiring."""
    recording = make_recording(
        12, channels=4, lead_in_uv=np.arange(8, dtype=np.float32).reshape(2, 4)
    )
    with SelectedChannels(replay(recording), ["EMG4", "EMG2"]) as source:
        assert source.info.channels == (Channel("EMG4"), Channel("EMG2"))
        assert source.info.rate_hz == 600
        chunk = source.read(1.0)
    np.testing.assert_array_equal(chunk.samples, recording.emg_uv[:6, [3, 1]])
    np.testing.assert_array_equal(chunk.lead_in, recording.lead_in_uv[:, [3, 1]])
    assert chunk.samples.dtype == np.float32


def test_all_else_passes_through(make_recording):
    """Losses, events and the end of the stream are the source's, selected or not."""
    recording = make_recording(12, markers=(Marker(7, "x"),))
    recording.emg_uv[2:4] = np.nan
    plain, selected = replay(recording), SelectedChannels(replay(recording), ["EMG2"])
    with plain, selected:
        while (chunk := plain.read(1.0)) is not None:
            other = selected.read(1.0)
            for name in ("epoch", "first_index", "time_s", "received_s", "gap_before", "markers"):
                assert getattr(other, name) == getattr(chunk, name)
            assert other.lead_in is None
        assert selected.health.state is SourceState.STREAMING
        assert selected.read(1.0) is None
        assert selected.health.state is SourceState.DISCONNECTED
        assert selected.health == plain.health


def test_a_channel_that_is_not_there(make_recording):
    """The labels that would do are named, and the device is free again."""
    inner = replay(make_recording(12))
    with pytest.raises(
        SignalMismatchError,
        match=r"channel of replay: got 'EMG7', not in it; allowed: EMG1, EMG2; name channels by",
    ):
        SelectedChannels(inner, ["EMG1", "EMG7"]).open()
    assert inner.health.state is SourceState.DISCONNECTED


def test_a_label_that_the_stream_has_twice(make_recording):
    """No channel is picked at random."""
    recording = make_recording(12)
    twice = type(recording)(**{**vars(recording), "channels": (Channel("EMG"), Channel("EMG"))})
    with pytest.raises(SignalMismatchError, match="got 'EMG', twice in it; allowed: EMG, EMG;"):
        SelectedChannels(replay(twice), ["EMG"]).open()


@pytest.mark.parametrize(("labels", "line"), [([], "got none"), (["a", "b", "a"], "got 'a' twice")])
def test_the_labels_are_checked_before_anything_is_opened(make_recording, labels, line):
    """A slip of the pen does not wait for the device."""
    with pytest.raises(SourceError, match=f"channels to select: {line}; allowed: labels"):
        SelectedChannels(replay(make_recording(12)), labels)


@pytest.mark.parametrize(
    ("there", "wanted", "columns"),
    [
        (["EMG 1", "EMG 2", "Trigger"], ["EMG2", "EMG1"], [1, 0]),
        (["emg_01", "emg_02"], ["EMG1", "EMG2"], [0, 1]),
        (["EMG 1", "EMG1"], ["EMG1"], [1]),  # as it is written comes first
        (["EMG chin", "x"], ["EMGchin"], [0]),
        (["EMG 1-2", "EMG 12"], ["EMG12"], [1]),
    ],
)
def test_a_label_is_found_in_another_spelling(there, wanted, columns):
    """EDF says `EMG 1` of what the bundle calls EMG1."""
    assert find_columns(there, wanted, "talk") == columns


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (["EMG 1", "emg_1"], ["EMG1"]),
        (["EMG 10"], ["EMG1"]),
        (["EMG1"], ["EMG1", "EMG 1"]),
        (["EMG 1-2"], ["EMG12"]),
        (["EMG1"], []),
    ],
)
def test_a_label_that_could_be_another_is_refused(there, wanted):
    """The wrong muscle would sound like the right one."""
    with pytest.raises(SignalMismatchError, match="channels? of talk"):
        find_columns(there, wanted, "talk")
