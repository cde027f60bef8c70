"""What labels and units of foreign files say, and how all of them come into microvolts."""

import pytest

from drivers.errors import RecordingError, SourceError
from drivers.units import channel_types, in_microvolts, type_of, unique_labels, uv_per


@pytest.mark.parametrize(
    ("unit", "uv"),
    [
        *(("uV", 1), ("\xb5V", 1), ("\u03bcV", 1), ("UV", 1), (" microvolts ", 1)),
        *(("mV", 1e3), ("V", 1e6), ("nV", 1e-3), ("MV", None), ("degC", None), ("", None)),
        *(("uVolts", 1), ("microVolt", 1), ("micro-volts", 1), ("\u3376", None), ("\u33b6", 1)),
        *(("mVolt", 1e3), ("Megavolt", None), ("MVolts", None), ("millivolt", 1e3)),
        *((".V", None), ("?V", None), ("%", None), ("uV/bit", None), ("V" * 10**6, None)),
        *(("0", None), ("-6", None), ("none", None), ("a.u.", None), ("uVs", None)),
    ],
)
def test_voltages_in_any_spelling(unit, uv):
    """A wrong unit makes every muscle a thousand times too strong or too weak."""
    assert uv_per(unit) == uv


@pytest.mark.parametrize(
    ("unit", "uv"), [("0", 1e6), ("-3", 1e3), ("-6", 1), ("-9", 1e-3), ("3", None), ("-7", None)]
)
def test_powers_of_ten_are_units_of_streams(unit, uv):
    """MNE-LSL writes them; its streams are a million times too weak without."""
    assert uv_per(unit, powers_of_ten=True) == uv


def test_types_are_read_from_labels():
    """Otherwise a converter gets an EEG or a temperature as a muscle."""
    assert [type_of(label) for label in ("EMG 1", "EMG1", "emg_2", "EMGx", "chin")] == [
        *("EMG", "EMG", "EMG", None, None)
    ]
    assert [type_of(label) for label in ("ekg", "EKG 2", "Puls")] == ["ECG", "ECG", "PPG"]
    assert channel_types(["EMG 1", "chin", "EEG Cz"], ["uV"] * 3) == ["EMG", "AUX", "EEG"]
    assert channel_types(["chin", "lip", "pressure"], ["uV", "mV", "Pa"]) == ["EMG", "EMG", "AUX"]


def test_labels_become_unique():
    """Channels are chosen by label."""
    assert unique_labels(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
    assert unique_labels(["a", "a (2)", "a", "a"]) == ["a", "a (2)", "a (3)", "a (4)"]
    assert len(set(unique_labels([""] * 10_000))) == 10_000  # with a search in a list: minutes


@pytest.mark.parametrize("kind", ["EMG", "emg", "EEG", "AUX", ""])
@pytest.mark.parametrize(("unit", "uv"), [("uV", 1), ("mV", 1e3), ("V", 1e6), ("nanovolts", 1e-3)])
def test_voltages_come_into_microvolts_whatever_their_type(kind, unit, uv):
    """An amplifier that calls all its inputs EEG gives millivolts as microvolts otherwise."""
    found = in_microvolts(["chin", "lip"], [unit] * 2, [kind] * 2, "stream 'Amp'")
    assert found.factors == (uv, uv)
    assert [c.unit for c in found.channels] == ["uV", "uV"]
    assert [c.type for c in found.channels] == [kind.upper() or "EMG"] * 2
    assert not found.notes


@pytest.mark.parametrize("unit", ["seconds", "", "a.u."])
def test_a_neighbour_without_a_voltage_is_no_emg_and_named(unit):
    """One counter makes six good channels unreadable otherwise, or is taken for a muscle."""
    found = in_microvolts(["a", "b", "Counter"], ["mV", "uV", unit], ["EMG"] * 3, "stream 'Amp'")
    assert [(c.type, c.unit) for c in found.channels] == [
        *(("EMG", "uV"), ("EMG", "uV"), ("AUX", unit))
    ]
    assert found.factors == (1e3, 1, 1)
    (note,) = found.notes
    assert "Counter" in note
    assert (unit or "no unit") in note


@pytest.mark.parametrize("unit", ["", "none", ".V", "?V", "%", "degC", "counts"])
@pytest.mark.parametrize("types", [None, ["EMG", "EMG"], ["EEG", "EEG"], ["EMG", "EEG"]])
def test_emg_of_unknown_unit_is_refused(unit, types):
    """A guess could be wrong by a factor of a thousand, in any format."""
    with pytest.raises(RecordingError, match=r"unit of channel EMG 1 of talk.*recordings.unit=uV"):
        in_microvolts(["EMG 1", "EMG 2"], [unit] * 2, types, "talk.edf")


def test_emg_of_unknown_unit_is_refused_beside_another_voltage():
    """The battery's voltage says nothing about the muscles."""
    with pytest.raises(SourceError, match=r"live\.unit"):
        in_microvolts(
            ["1", "2"],
            ["", "V"],
            ["EMG", "AUX"],
            "stream 'Amp'",
            setting="live.unit",
            refusal=SourceError,
        )


@pytest.mark.parametrize("unit", ["", "none", "a.u.", "mV"])
@pytest.mark.parametrize("types", [None, ["EMG"] * 3, ["EEG"] * 3])
def test_the_setting_overrules_what_is_written(unit, types):
    """A person who knows the unit has no way on otherwise."""
    found = in_microvolts(
        ["chin", "lip", "Counter"], [unit, unit, ""], types, "x", overruled_by="V"
    )
    assert found.factors == (1e6, 1e6, 1)
    assert [c.unit for c in found.channels] == ["uV", "uV", ""]
    assert ("overruled by recordings.unit=V" in " ".join(found.notes)) == bool(unit)


def test_a_setting_that_is_no_voltage_is_refused():
    """It would be taken for none otherwise."""
    with pytest.raises(RecordingError, match=r"recordings\.unit: got seconds; allowed: uV"):
        in_microvolts(["a"], ["uV"], None, "x", overruled_by="seconds")


@pytest.mark.parametrize("kind", ["EMG", "EEG", ""])
def test_the_setting_leaves_other_types_alone(kind):
    """A temperature beside the EMG does not become a muscle."""
    found = in_microvolts(["1", "2"], ["a.u.", "degC"], [kind, "TEMP"], "x", overruled_by="mV")
    assert found.factors == (1e3, 1)
    assert found.channels[1].unit == "degC"


def test_nothing_is_refused():
    """A stream without channels ends in a traceback otherwise."""
    with pytest.raises(RecordingError, match="channels of x"):
        in_microvolts([], [], None, "x")


def test_a_file_without_emg_has_no_unit_to_be_guessed():
    """What was converted once, pressure alone, is read again."""
    found = in_microvolts(["p", "t"], ["Pa", "degC"], ["AUX", "AUX"], "x")
    assert [c.unit for c in found.channels] == ["Pa", "degC"]
