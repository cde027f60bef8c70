"""What streams say of themselves."""

from typing import Any

import pytest

from drivers.errors import SourceError
from drivers.lsl.library import pylsl
from drivers.lsl.streams import read_description, write_description
from drivers.source import Channel, Provenance, SourceInfo


def described(unit: str | None, rate: float = 600.0, values: str = "float32") -> Any:
    """A stream of somebody else's making: one EMG channel, one trigger."""
    stream = pylsl.StreamInfo("theirs", "EMG", 2, rate, values, "theirs-1")
    channels = stream.desc().append_child("channels")
    for label, kind in (("left", "EMG"), ("", "AUX")):
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
    assert read_description(write_description(info, "mine-m")) == (info, [1, 1, 1], "mine-m")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("microvolts", 1),
        ("uV", 1),
        ("\u00b5V", 1),
        ("\u03bcV", 1),
        (" MicroVolts ", 1),
        ("mV", 1e3),
        ("V", 1e6),
    ],
)
def test_units_become_microvolts(unit, factor):
    """Features of a signal in volts would be those of silence."""
    info, factors, markers_id = read_description(described(unit))
    assert factors == [factor, 1.0]
    assert info.channels == (Channel("left"), Channel("2", "", "AUX"))
    assert info.provenance is Provenance.GUESSED
    assert markers_id is None


@pytest.mark.parametrize(
    ("stream", "line"),
    [
        (described(None), "unit of channel left of LSL stream 'theirs': got none; allowed: micro"),
        (described("counts"), "got counts; allowed: microvolts, mV or V"),
        (described("uV", rate=0.0), "allowed: a signal with a nominal rate"),
        (described("uV", values="string"), "got events of type EMG"),
        (pylsl.StreamInfo("bare", "EMG", 1, 600.0, "float32", "b"), "unit of channel 1 of"),
    ],
)
def test_what_is_no_emg_is_refused(stream, line):
    """A wrong unit is an error, not a wrong voice."""
    with pytest.raises(SourceError, match=line):
        read_description(stream)
