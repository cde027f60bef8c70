"""Read NPZ."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.errors import RecordingError
from drivers.recordings.metadata import KEYS, metadata_from
from drivers.recordings.npz.arrays import (
    NEEDED,
    NEEDED_TEXT,
    Arrays,
    load,
    opened,
    unknown_names,
)
from drivers.recordings.recording import Recording, Segment
from drivers.source import Marker
from drivers.units import in_microvolts, unique_labels


@dataclass(frozen=True)
class _Series:
    """The recordings of a file, read one by one each time they are iterated."""

    path: Path
    prefixes: tuple[str, ...]
    unit: str | None

    def __iter__(self) -> Iterator[Recording]:
        # opened once: the table of contents of thousands of recordings is long
        with opened(self.path) as archive:
            for prefix in self.prefixes:
                arrays = Arrays(self.path, prefix, load(archive, prefix, self.path))
                yield _recording(self.path, prefix, arrays, self.unit)

    def __len__(self) -> int:
        return len(self.prefixes)


def read(path: Path, *, unit: str | None = None) -> _Series:
    """Read an NPZ file.

    Parameters
    ----------
    path : Path
        The file.
    unit : str, optional
        Of the EMG; it overrules what the file says.

    Returns
    -------
    iterable of Recording
        Read one by one, when they are iterated.

    Raises
    ------
    RecordingError
        It is damaged, or lacks what has to be there.
    """
    with opened(path) as archive:
        keys = {name.removesuffix(".npy") for name in archive.namelist()}
    prefixes = sorted(
        {"".join(key.rpartition("/")[:2]) for key in keys if key.rpartition("/")[2] in NEEDED}
    )
    if not prefixes:
        raise RecordingError(
            f"arrays in {path}",
            value=", ".join(sorted(keys)[:20]) or "none",
            allowed=NEEDED_TEXT,
            way_out="save it again with numpy.savez under these names",
        )
    return _Series(path, tuple(prefixes), unit)


def details(path: Path, *, unit: str | None = None) -> dict[str, str]:
    """Say what is worth knowing beside the recordings.

    Parameters
    ----------
    path, unit
        As for `read`; the unit changes nothing.

    Returns
    -------
    dict of str to str
        Arrays that are left out because their keys are not documented.

    Raises
    ------
    RecordingError
        It is damaged.
    """
    with opened(path) as archive:
        unknown = unknown_names(archive.namelist())
    return {"left out": ", ".join(unknown)} if unknown else {}


def _recording(path: Path, prefix: str, arrays: Arrays, unit: str | None) -> Recording:
    """Make a recording of the arrays whose keys have this prefix."""
    emg_uv = arrays.samples("emg_uv", 2)
    _check_shape(arrays, emg_uv.shape, path)
    count = emg_uv.shape[1]
    labels = unique_labels(arrays.texts("channel_labels", [f"EMG{n + 1}" for n in range(count)]))
    units = arrays.texts("channel_units", ["uV"] * count)
    types = arrays.texts("channel_types", ["EMG"] * count)
    scaled = in_microvolts(labels, units, types, str(path), overruled_by=unit)
    if unit is None and any(factor != 1 for factor in scaled.factors):
        raise RecordingError(
            f"channel_units of {path}",
            value=", ".join(sorted(set(units))),
            allowed="uV for EMG, as the name emg_uv says",
            way_out="if you know it, say so, as with --set recordings.unit=uV",
        )
    factors = np.array(scaled.factors, np.float32)
    lead_in = arrays.samples("lead_in_uv", 2) if "lead_in_uv" in arrays else None
    if lead_in is not None and lead_in.shape[1] != count:
        raise RecordingError(
            f"lead_in_uv of {path}", value=f"{lead_in.shape[1]} channels", allowed=str(count)
        )
    has_audio = "audio" in arrays
    return Recording(
        name=arrays.text("name", path.stem + prefix.rstrip("/")),
        emg_uv=emg_uv * factors,
        rate_hz=arrays.rate_hz("rate_hz"),
        channels=scaled.channels,
        lead_in_uv=None if lead_in is None else lead_in * factors,
        markers=_markers(arrays),
        audio=arrays.sound("audio") if has_audio else None,
        audio_rate_hz=arrays.rate_hz("audio_rate_hz")
        if has_audio or "audio_rate_hz" in arrays
        else None,
        phones=_phones(arrays),
        notes=scaled.notes,
        **metadata_from({key: arrays.text(key, "") for key in KEYS if key in arrays}, path),
    )


def _check_shape(arrays: Arrays, shape: tuple[int, ...], path: Path) -> None:
    """Refuse channels by samples, before the samples become thousands of channels."""
    rows, columns = shape
    named = arrays.length("channel_labels")
    turned = rows < columns if named is None else named == rows != columns
    if not columns or turned:
        raise RecordingError(
            f"emg_uv of {path}",
            value=f"{rows} x {columns}",
            allowed="samples x channels",
            way_out="save it turned, as emg_uv.T, or name the channels in channel_labels",
        )


def _markers(arrays: Arrays) -> tuple[Marker, ...]:
    if "marker_index" not in arrays:
        return ()
    indices = arrays.indices("marker_index")
    labels = arrays.texts("marker_label", [""] * len(indices))
    return tuple(map(Marker, indices, labels))


def _phones(arrays: Arrays) -> tuple[Segment, ...]:
    if "phone_start_s" not in arrays:
        return ()
    starts, ends = arrays.numbers("phone_start_s", 1), arrays.numbers("phone_end_s", 1)
    labels = arrays.texts("phone_label", [""] * len(starts))
    if len(ends) != len(starts):
        raise RecordingError(f"phone_end_s of {arrays.path}", value=len(ends), allowed=len(starts))
    return tuple(map(Segment, starts.tolist(), ends.tolist(), labels))
