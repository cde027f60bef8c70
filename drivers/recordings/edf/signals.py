"""Which signals of an EDF or BDF file are taken."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.errors import RecordingError
from drivers.units import channel_types, uv_per


@dataclass(frozen=True)
class Signals:
    """Signals of the EMG's rate, and what was left out.

    Attributes
    ----------
    signals : tuple of edfio's signals
        Never empty.
    rate_hz : float
        Their rate by the header.
    step_uv : float
        The coarsest step of a voltage; 0 without any.
    left_out : tuple of str
        Other signals, and why.
    """

    signals: tuple[Any, ...]
    rate_hz: float
    step_uv: float
    left_out: tuple[str, ...]


def choose(edf: Any, path: Path) -> Signals:
    """Take the signals at the rate of the EMG: of most EMG, or else of most signals.

    Parameters
    ----------
    edf : edfio.Edf or edfio.Bdf
        The open file.
    path : Path
        Its name, for errors.

    Returns
    -------
    Signals
        One or more.

    Raises
    ------
    RecordingError
        There is none, or the header is damaged.
    """
    try:
        signals = [s for s in edf.signals if s.samples_per_data_record]
        rates = [float(s.sampling_frequency) for s in signals]
        steps = [_step(s) for s in signals]
        types = channel_types([s.label for s in signals], [unit_of(s) for s in signals])
    # edfio meets damaged bytes with any exception
    except Exception as error:
        raise damaged(path, error) from error
    usable = [n for n, step in enumerate(steps) if step]
    if not usable:
        raise RecordingError(
            f"signals of {path}", value="none with a scale", allowed="one signal or more"
        )
    emg = [rates[n] for n in usable if types[n] == "EMG"] or [rates[n] for n in usable]
    rate_hz = max(set(emg), key=lambda rate: (emg.count(rate), rate))
    chosen = [n for n in usable if rates[n] == rate_hz]
    return Signals(
        signals=tuple(signals[n] for n in chosen),
        rate_hz=rate_hz,
        step_uv=max(steps[n] * (uv_per(unit_of(signals[n])) or 0.0) for n in chosen),
        left_out=tuple(
            f"{signal.label} at {rate:g} Hz" if step else f"{signal.label}, whose scale is missing"
            for n, (signal, rate, step) in enumerate(zip(signals, rates, steps, strict=True))
            if n not in chosen
        ),
    )


def _step(signal: Any) -> float:
    """Give the physical size of one count, 0 where the header's ranges give none."""
    low, high = signal.digital_range
    step = abs(signal.physical_max - signal.physical_min) / max(high - low, 1)
    return step if high > low and math.isfinite(step) else 0.0


def unit_of(signal: Any) -> str:
    """Read the unit; some write it in UTF-8, against the standard.

    Parameters
    ----------
    signal : edfio.EdfSignal or edfio.BdfSignal
        The signal.

    Returns
    -------
    str
        As it is written.
    """
    unit = str(signal.physical_dimension)
    try:
        return unit.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return unit


def damaged(path: Path, error: Exception) -> RecordingError:
    """Put what edfio met into one line.

    Parameters
    ----------
    path : Path
        The file.
    error : Exception
        Whatever edfio raised.

    Returns
    -------
    RecordingError
        To be raised.
    """
    return RecordingError(
        f"content of {path}",
        value=f"damaged ({type(error).__name__}: {str(error)[:100]})",
        way_out="copy the file again",
    )
