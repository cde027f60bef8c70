"""Which signals of an EDF or BDF file are taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.errors import RecordingError
from drivers.recordings.checked import MOST_CHANNELS
from drivers.recordings.edf.layout import Layout, Signal
from drivers.source import Channel
from drivers.units import in_microvolts, unique_labels, uv_per


@dataclass(frozen=True)
class Chosen:
    """Signals of the EMG's rate, and what was left out.

    Attributes
    ----------
    signals : tuple of Signal
        Never empty.
    channels : tuple of Channel
        What they become.
    factors : tuple of float
        What their physical values are multiplied with for that.
    rate_hz : float
        Their rate by the header.
    step_uv : float
        The coarsest step of the EMG, of any voltage where there is none; 0 without any.
    left_out : tuple of str
        Other signals, and why.
    notes : tuple of str
        On their units, a line each.
    """

    signals: tuple[Signal, ...]
    channels: tuple[Channel, ...]
    factors: tuple[float, ...]
    rate_hz: float
    step_uv: float
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def choose(layout: Layout, stored: Sequence[Channel] | None, unit: str | None) -> Chosen:
    """Take the signals at the rate of the EMG: of most EMG, or else of most signals.

    Parameters
    ----------
    layout : Layout
        Of the file.
    stored : sequence of Channel or None
        As our own annotation gives them, where it does: the header cuts labels and units.
    unit : str or None
        Of the EMG, as a person says; it overrules the header.

    Returns
    -------
    Chosen
        One signal or more.

    Raises
    ------
    RecordingError
        There is none, or its unit is unknown.
    """
    signals = [one for one in layout.signals if one.samples and not one.holds_annotations]
    usable = [one for one in signals if one.step]
    if not usable:
        raise RecordingError(
            f"signals of {layout.path}",
            value="none" if not signals else "none with a scale",
            allowed="one signal or more, beside annotations",
            way_out="correct the physical and digital ranges in its header" if signals else None,
        )
    labels = [one.label or f"channel {n + 1}" for n, one in enumerate(usable)]
    units, types = [one.unit for one in usable], None
    if stored is not None and len(stored) == len(usable):
        labels, types = [one.label for one in stored], [one.type for one in stored]
        units = [  # what scales the samples is the header's
            own.unit if uv_per(own.unit) == uv_per(one.unit) else one.unit
            for own, one in zip(stored, usable, strict=True)
        ]
    scaled = in_microvolts(unique_labels(labels), units, types, str(layout.path), overruled_by=unit)
    rates = [float(one.samples / layout.record_s) for one in usable]
    emg = [rate for rate, one in zip(rates, scaled.channels, strict=True) if one.type == "EMG"]
    rate_hz = max(set(emg or rates), key=lambda rate: ((emg or rates).count(rate), rate))
    taken = [n for n, rate in enumerate(rates) if rate == rate_hz]
    if len(taken) > MOST_CHANNELS:  # before they are read
        raise RecordingError(
            f"signals of {layout.path} at {rate_hz:g} Hz",
            value=len(taken),
            allowed=f"up to {MOST_CHANNELS}",
        )
    voltages = [n for n in taken if scaled.channels[n].unit == "uV"]
    voltages = [n for n in voltages if scaled.channels[n].type == "EMG"] or voltages
    return Chosen(
        signals=tuple(usable[n] for n in taken),
        channels=tuple(scaled.channels[n] for n in taken),
        factors=tuple(scaled.factors[n] for n in taken),
        rate_hz=rate_hz,
        step_uv=max((abs(usable[n].step) * scaled.factors[n] for n in voltages), default=0.0),
        left_out=(
            *(
                f"{label} at {rate:g} Hz"
                for label, rate in zip(labels, rates, strict=True)
                if rate != rate_hz
            ),
            *(f"{one.label}, whose scale is missing" for one in signals if not one.step),
        ),
        notes=scaled.notes,
    )
