"""What streams say of themselves."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.errors import SourceError
from drivers.lsl import LslSource
from drivers.lsl.description import check_numbers, describe_source, read_description
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
    read, scales, markers_id = read_description(stream)
    assert (read, scales.factors, markers_id) == (info, (1, 1, 1), "mine-m")
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
    info, scales, markers_id = read_description(described(unit))
    assert scales.factors == (factor, 1.0)
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
        (described("counts"), "got counts; allowed: uV .microvolts., mV, V or nV; .*live.unit=uV"),
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
    info, scales, _ = read_description(bare, unit="nV")
    assert info.channels == (Channel("1"), Channel("2"), Channel("3"))
    assert scales.factors == (1e-3,) * 3


@pytest.mark.parametrize("unit", ["none", "a.u.", "counts", "mV"])
def test_the_setting_overrules_what_a_stream_says(unit):
    """An amplifier with an odd text for its unit would be of no use, whatever the user knows."""
    info, scales, _ = read_description(described(unit), unit="uV")
    assert scales.factors == (1.0, 1.0)
    assert info.channels == (Channel("left"), Channel("2", "", "TRIG"))
    assert "overruled by live.unit=uV" in scales.notes[0]


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1e3), ("0", 1e6), ("-6", 1.0)])
def test_amplifiers_that_call_their_inputs_eeg(unit, factor):
    """BrainVision, g.tec and MNE-LSL say EEG of whatever is plugged in: volts are no microvolts."""
    stream = pylsl.StreamInfo("amp", "EEG", 1, 600.0, "float32", "a")
    channel = stream.desc().append_child("channels").append_child("channel")
    channel.append_child_value("unit", unit)
    _, scales, _ = read_description(stream)
    assert scales.factors == (factor,)
    bare = pylsl.StreamInfo("amp", "EEG", 1, 600.0, "float32", "a")
    with pytest.raises(SourceError, match="live.unit"):
        read_description(bare)


@pytest.mark.parametrize(
    ("rate_hz", "channels"),
    [(math.nan, 2), (math.inf, 2), (-1.0, 2), (1e300, 2), (1e-9, 2), (600.0, 0), (600.0, 70000)],
)
def test_numbers_that_make_no_sense_are_refused(rate_hz, channels):
    """liblsl ends in a traceback, or takes all memory, for some of them."""
    stream = SimpleNamespace(
        name=lambda: "odd", nominal_srate=lambda: rate_hz, channel_count=lambda: channels
    )
    with pytest.raises(SourceError, match="of LSL stream 'odd': got .*; allowed: 1 to"):
        check_numbers(stream)


def test_texts_of_others_are_clean():
    """A label that holds escape sequences would move the cursor of whoever reads it."""
    hostile = "\x1b[2J" + "x" * 5000
    stream = pylsl.StreamInfo(hostile, hostile, 1, 600.0, "float32", hostile)
    channel = stream.desc().append_child("channels").append_child("channel")
    for field in ("label", "unit", "type"):
        channel.append_child_value(field, hostile)
    info, _, _ = read_description(stream, unit="uV")
    for text in (info.name, info.source_id, info.channels[0].label, info.channels[0].type):
        assert text.isprintable()
        assert len(text) <= 256


def test_two_channels_never_have_one_label():
    """A selection by label takes the channel that is meant."""
    stream = pylsl.StreamInfo("twins", "EMG", 3, 600.0, "float32", "t")
    channels = stream.desc().append_child("channels")
    for label in ("EMG", "EMG", "x"):
        channels.append_child("channel").append_child_value("label", label)
    info, _, _ = read_description(stream, unit="uV")
    assert [channel.label for channel in info.channels] == ["EMG", "EMG (2)", "x"]


@pytest.mark.parametrize("unit", ["uF", "MV", ""])
def test_a_unit_that_is_none(unit):
    """A typing error in a setting is said at once."""
    with pytest.raises(SourceError, match="live.unit: got .*; allowed: uV"):
        LslSource("x", unit=unit)
