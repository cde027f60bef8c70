"""What labels and units of foreign files say."""

import pytest

from drivers.units import channel_types, type_of, unique_labels, uv_per


@pytest.mark.parametrize(
    ("unit", "uv"),
    [
        *(("uV", 1), ("\xb5V", 1), ("\u03bcV", 1), ("UV", 1), (" microvolts ", 1)),
        *(("mV", 1e3), ("V", 1e6), ("nV", 1e-3), ("MV", None), ("degC", None), ("", None)),
    ],
)
def test_voltages_in_any_spelling(unit, uv):
    """A wrong unit makes every muscle a thousand times too strong or too weak."""
    assert uv_per(unit) == uv


def test_types_are_read_from_labels():
    """Otherwise a converter gets an EEG or a temperature as a muscle."""
    assert [type_of(label) for label in ("EMG 1", "EMG1", "emg_2", "EMGx", "chin")] == [
        *("EMG", "EMG", "EMG", None, None)
    ]
    assert channel_types(["EMG 1", "chin", "EEG Cz"], ["uV"] * 3) == ["EMG", "AUX", "EEG"]
    assert channel_types(["chin", "lip", "pressure"], ["uV", "mV", "Pa"]) == ["EMG", "EMG", "AUX"]


def test_labels_become_unique():
    """Channels are chosen by label."""
    assert unique_labels(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
