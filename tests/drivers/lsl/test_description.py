"""What streams say of themselves."""

from typing import Any

import pytest

from drivers.errors import SourceError
from drivers.lsl.description import describe_source, read_description, to_uv
from drivers.lsl.library import pylsl
from drivers.source import Channel, Provenance, SourceInfo


def described(unit: str | None, rate: float = 600.0, values: str = "float32") -> Any:
    """A stream of somebody else's making: one EMG channel, one trigger."""
    stream = pylsl.StreamInfo("theirs", "EMG", 2, rate, values, "theirs-1")
    channels = stream.desc().append_child("channels")
    for label, kind in (("left", "EMG"), ("", "TRIG")):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("type", kind)
        if unit is not None and kind == "EMG":
            channel.append_child_value("unit", unit)
    return stream


def test_a_description_survives_the_way():
    """Channels arrive under their names, and a simulation is never taken for a device."""
    channels = (Channel("EMG1"), Channel("\u00fc <&> 2"), Channel("t", "counts", "AUX"))
    info = SourceInfo("mine", "mine-1", channels, 599.5, Provenance.SIMULATED)
    stream = describe_source(info, "mine-m")
    assert read_description(stream) == (info, [1, 1, 1], "mine-m")
    assert stream.desc().child_value("manufacturer") == "streamer"
    assert "acquisition" in stream.desc().child_value("time_stamps")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("microvolts", 1),
        ("Microvolt", 1),
        ("uV", 1),
        ("\u00b5V", 1),
        ("\u03bcV", 1),
        (" MicroVolts ", 1),
        ("mV", 1e3),
        ("millivolts", 1e3),
        ("V", 1e6),
        ("volts", 1e6),
        ("nV", 1e-3),
    ],
)
def test_units_become_microvolts(unit, factor):
    """Features of a signal in volts would be those of silence."""
    info, factors, markers_id = read_description(described(unit), unit="mV")
    assert factors == [factor, 1.0]  # what a stream says wins
    assert info.channels == (Channel("left"), Channel("2", "", "TRIG"))
    assert info.provenance is Provenance.GUESSED
    assert markers_id is None


@pytest.mark.parametrize(
    ("stream", "line"),
    [
        (
            described(None),
            "unit of channel left of LSL stream 'theirs': got none; allowed: uV .microvolts.,"
            " mV, V or nV; .* --set live.unit=uV",
        ),
        (described("counts"), "got counts; allowed: uV .microvolts., mV, V or nV$"),
        (described("uV", rate=0.0), "allowed: a signal with a nominal rate"),
        (described("uV", values="string"), "got events of type EMG"),
        (pylsl.StreamInfo("bare", "EMG", 1, 600.0, "float32", "b"), "unit of channel 1 of"),
    ],
)
def test_what_is_no_emg_is_refused(stream, line):
    """A wrong unit is an error, not a wrong voice."""
    with pytest.raises(SourceError, match=line):
        read_description(stream)


def test_a_stream_without_metadata_is_usable_once_its_unit_is_known():
    """Many a laboratory's own sender says nothing but its name."""
    bare = pylsl.StreamInfo("bare", "EMG", 3, 600.0, "int16", "b")
    info, factors, _ = read_description(bare, unit="nV")
    assert info.channels == (Channel("1"), Channel("2"), Channel("3"))
    assert factors == [1e-3] * 3
    with pytest.raises(SourceError, match="got counts"):
        read_description(described("counts"), unit="uV")


def test_two_channels_never_have_one_label():
    """A selection by label takes the channel that is meant."""
    stream = pylsl.StreamInfo("twins", "EMG", 3, 600.0, "float32", "t")
    channels = stream.desc().append_child("channels")
    for label in ("EMG", "EMG", "x"):
        channels.append_child("channel").append_child_value("label", label)
    info, _, _ = read_description(stream, unit="uV")
    assert [channel.label for channel in info.channels] == ["EMG", "2", "x"]


def test_a_unit_that_is_none():
    """A typing error in a setting is said at once."""
    with pytest.raises(SourceError, match="unit of x: got uF; allowed: uV"):
        to_uv("uF", "x")
    with pytest.raises(SourceError, match="got MV"):
        to_uv("MV", "x")
