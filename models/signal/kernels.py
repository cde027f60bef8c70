"""The loops behind the operators, and all of them in one call for the EMG of a live frame.

They stand together, for compiled functions may call each other within one file only. Sums run
in a fixed order, so that no result depends on how the signal is cut, and no rounding error builds
up as in a running sum.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.signal.operator import Array


@compiled
def filter_rows(sections: Array, state: Array, rows: Array) -> None:
    """Filter rows in place, and move the state on, as `scipy.signal.sosfilt` does.

    A call of that costs the six samples of a frame many times what their filtering does.
    """
    for k in range(len(sections)):
        b0, b1, b2, _, a1, a2 = sections[k]
        for n in range(len(rows)):
            for channel in range(rows.shape[1]):
                x = rows[n, channel]
                y = state[k, 0, channel] + b0 * x
                state[k, 0, channel] = state[k, 1, channel] + b1 * x - a1 * y
                state[k, 1, channel] = b2 * x - a2 * y
                rows[n, channel] = y


@compiled
def td_features(
    windows: Array, taps: int, before: int, log: bool, scale_uv: float, floor_uv: float
) -> Array:
    """Return the features (frames, channels * 5) of `models.signal.td_features`.

    Windows (frames, samples, channels) hold the samples that the frames' smoothing sees, as many
    as `before` of them before the frame.
    """
    count, length, channels = windows.shape
    features = np.zeros((count, channels * 5))
    for k in range(count):
        _td_frame(windows[k], length - 2 * (taps - 1), taps, before, features[k])
        if log:
            _compress(features[k], scale_uv, floor_uv)
    return features


@compiled
def _td_frame(window: Array, samples: int, taps: int, before: int, row: Array) -> None:
    """Add the features of one frame up in a row of zeros, not compressed."""
    v = np.empty(samples + taps - 1)
    for channel in range(window.shape[1]):
        x, at = window[:, channel], 5 * channel
        for n in range(len(v)):
            v[n] = _mean(x, n, taps)
        last = 0.0
        for n in range(samples):
            w = _mean(v, n, taps)
            p = x[before + n] - w
            row[at] += w
            row[at + 1] += w * w
            row[at + 2] += p * p
            if n > 0 and (p < 0) != (last < 0):
                row[at + 3] += 1
            row[at + 4] += abs(p)
            last = p
        row[at : at + 3] /= samples
        row[at + 3] /= max(1, samples - 1)
        row[at + 4] /= samples


@compiled
def _mean(values: Array, first: int, count: int) -> float:
    total = 0.0
    for n in range(first, first + count):
        total += values[n]
    return total / count


@compiled
def _compress(row: Array, scale_uv: float, floor_uv: float) -> None:
    """Compress the amplitudes of a frame in place, as `models.signal.compression` does."""
    for at in range(0, len(row), 5):
        row[at] = np.arcsinh(row[at] / scale_uv)
        row[at + 1] = 0.5 * np.log1p(row[at + 1] / floor_uv**2)
        row[at + 2] = 0.5 * np.log1p(row[at + 2] / floor_uv**2)
        row[at + 4] = np.log1p(row[at + 4] / floor_uv)


@compiled
def log_bands(
    windows: Array, spectrum: Array, bands: Array, weights: Array, floor_uv: float
) -> Array:
    """Return the log RMS (frames, channels * bands) of `models.signal.log_bands`."""
    count, _, channels = windows.shape
    features = np.empty((count, channels * len(bands)))
    for k in range(count):
        _bands_frame(windows[k], spectrum, bands, weights[k], floor_uv, features[k])
    return features


@compiled
def _bands_frame(
    window: Array, spectrum: Array, bands: Array, weight: float, floor_uv: float, row: Array
) -> None:
    """Put the log RMS of one frame into a row, compressed as `log_power` does.

    For windows this short, 64 samples at 600 Hz, a product with a matrix is the fastest Fourier
    transform.
    """
    power = np.dot(bands, np.dot(spectrum, window) ** 2) / weight
    count = len(bands)
    for channel in range(window.shape[1]):
        for band in range(count):
            row[channel * count + band] = 0.5 * np.log1p(power[band, channel] / floor_uv**2)


class Constants(NamedTuple):
    """What `emg_frames` computes with, in its order; names as of the settings and tables.

    The arrays are those of `models.signal.log_bands.Tables`, `before` and `after` those of
    `TDFeatures`, `length` that of the grid.
    """

    shift_s: float
    rate_hz: float
    length: int
    taps: int
    before: int
    after: int
    log: bool
    scale_uv: float
    floor_uv: float
    spectrum: Array
    bands: Array
    taper_power: Array
    bands_floor_uv: float


@compiled
def emg_frames(
    rows: Array,
    sections: Array,
    state: Array,
    history: Array,
    clock: NDArray[np.int64],
    shift_s: float,
    rate_hz: float,
    length: int,
    taps: int,
    before: int,
    after: int,
    log: bool,
    scale_uv: float,
    floor_uv: float,
    spectrum: Array,
    bands: Array,
    taper_power: Array,
    bands_floor_uv: float,
) -> tuple[Array, Array]:
    """Filter rows in place and return the frames that they complete, as `EmgFrames` does.

    Changed in place: the `rows`, the filters' `state`, the `history` of filtered samples, and the
    `clock`: samples received, frames returned. Then come the `Constants`, one by one: as a tuple
    they would cost a live frame a fiftieth of its time.
    """
    count, channels = rows.shape
    filter_rows(sections, state, rows)
    kept = len(history)
    extended = np.empty((kept + count, channels))
    extended[:kept] = history
    extended[kept:] = rows
    history[:] = extended[count:]
    origin, received, first = clock[0] - kept, clock[0] + count, clock[1]
    complete = 0
    while _start(first + complete, shift_s, rate_hz) + length + after <= received:
        complete += 1
    clock[0], clock[1] = received, first + complete
    columns, window = channels * 5, spectrum.shape[1]
    joined = np.zeros((complete, columns + channels * len(bands)))
    for k in range(complete):
        start = _start(first + k, shift_s, rate_hz) - origin
        row = joined[k]
        _td_frame(extended[start - before : start + length + after], length, taps, before, row)
        if log:
            _compress(row[:columns], scale_uv, floor_uv)
        if len(bands) > 0:
            begin = start + length - window
            weight = window * taper_power[window + min(0, begin + origin)]
            seen = extended[begin : begin + window]
            _bands_frame(seen, spectrum, bands, weight, bands_floor_uv, row[columns:])
    return joined[:, :columns].copy(), joined


@compiled
def _start(number: int, shift_s: float, rate_hz: float) -> int:
    """Return the first sample of a frame, as `FrameGrid.start` does."""
    return int(np.rint(number * shift_s * rate_hz))
