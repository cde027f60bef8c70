"""Write NPZ."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from drivers.errors import RecordingError
from drivers.recordings.files import new_file
from drivers.recordings.metadata import texts_of
from drivers.recordings.recording import Recording


def write(path: Path, recordings: Sequence[Recording]) -> list[str]:
    """Write recordings into a new file.

    Parameters
    ----------
    path : Path
        The new file.
    recordings : sequence of Recording
        One or more.

    Returns
    -------
    list of str
        Always empty: nothing is left out.

    Raises
    ------
    RecordingError
        The file exists, or there is nothing to write.
    """
    if not recordings:
        raise RecordingError(f"recordings for {path}", value="none", allowed="one or more")
    with new_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for number, recording in enumerate(recordings):
            prefix = "" if len(recordings) == 1 else f"{number:06d}/"
            for key, value in _arrays(recording).items():
                with archive.open(f"{prefix}{key}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, np.asanyarray(value), allow_pickle=False)
    return []


def _arrays(recording: Recording) -> dict[str, Any]:
    """Lay a recording out under the documented keys."""
    arrays: dict[str, Any] = {
        "emg_uv": recording.emg_uv.astype(np.float32, copy=False),
        "rate_hz": float(recording.rate_hz),
        "name": recording.name,
        "channel_labels": [channel.label for channel in recording.channels],
        "channel_units": [channel.unit for channel in recording.channels],
        "channel_types": [channel.type for channel in recording.channels],
        **texts_of(recording),
    }
    if recording.lead_in_uv is not None:
        arrays["lead_in_uv"] = recording.lead_in_uv.astype(np.float32, copy=False)
    if recording.audio is not None:
        arrays["audio"] = recording.audio.astype(np.float32, copy=False)
    if recording.audio_rate_hz is not None:
        arrays["audio_rate_hz"] = float(recording.audio_rate_hz)
    if recording.markers:
        arrays["marker_index"] = np.array([m.index for m in recording.markers], np.int64)
        arrays["marker_label"] = [m.label for m in recording.markers]
    if recording.phones:
        arrays["phone_start_s"] = np.array([p.start_s for p in recording.phones], np.float64)
        arrays["phone_end_s"] = np.array([p.end_s for p in recording.phones], np.float64)
        arrays["phone_label"] = [p.label for p in recording.phones]
    return arrays
