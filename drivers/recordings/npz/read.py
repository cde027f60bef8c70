"""Read NPZ."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import RecordingError
from drivers.recordings.metadata import KEYS, metadata_from
from drivers.recordings.npz.arrays import (
    NEEDED,
    NEEDED_TEXT,
    Arrays,
    load,
    member_names,
    unknown_names,
)
from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel, Marker
from drivers.units import unique_labels


@dataclass(frozen=True)
class _Series:
    """The recordings of a file, read one by one each time they are iterated."""

    path: Path
    prefixes: tuple[str, ...]

    def __iter__(self) -> Iterator[Recording]:
        for prefix in self.prefixes:
            yield _recording(self.path, prefix)

    def __len__(self) -> int:
        return len(self.prefixes)


def read(path: Path) -> _Series:
    """Read an NPZ file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    iterable of Recording
        Read one by one, when they are iterated.

    Raises
    ------
    RecordingError
        It is damaged, or lacks what has to be there.
    """
    keys = {name.removesuffix(".npy") for name in member_names(path)}
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
    return _Series(path, tuple(prefixes))


def details(path: Path) -> dict[str, str]:
    """Say what is worth knowing beside the recordings.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to str
        Arrays that are left out because their keys are not documented.

    Raises
    ------
    RecordingError
        It is damaged.
    """
    unknown = unknown_names(path)
    return {"left out": ", ".join(unknown)} if unknown else {}


def _recording(path: Path, prefix: str) -> Recording:
    """Read the recording whose keys have this prefix."""
    arrays = Arrays(path, prefix, load(path, prefix))
    emg_uv = arrays.samples("emg_uv", 2)
    count = emg_uv.shape[1]
    labels = unique_labels(arrays.texts("channel_labels", [f"EMG{n + 1}" for n in range(count)]))
    units = arrays.texts("channel_units", ["uV"] * count)
    types = arrays.texts("channel_types", ["EMG"] * count)
    if not count or any(u != "uV" for u, kind in zip(units, types, strict=True) if kind == "EMG"):
        raise RecordingError(
            f"channel_units of {path}",
            value=", ".join(units) or "no channels",
            allowed="uV for EMG",
        )
    lead_in = arrays.samples("lead_in_uv", 2) if "lead_in_uv" in arrays else None
    if lead_in is not None and lead_in.shape[1] != count:
        raise RecordingError(
            f"lead_in_uv of {path}", value=f"{lead_in.shape[1]} channels", allowed=str(count)
        )
    has_audio = "audio" in arrays
    return Recording(
        name=arrays.text("name", path.stem + prefix.rstrip("/")),
        emg_uv=emg_uv,
        rate_hz=arrays.rate_hz("rate_hz"),
        channels=tuple(map(Channel, labels, units, types)),
        lead_in_uv=lead_in,
        markers=_markers(arrays),
        audio=arrays.samples("audio", 1) if has_audio else None,
        audio_rate_hz=arrays.rate_hz("audio_rate_hz")
        if has_audio or "audio_rate_hz" in arrays
        else None,
        phones=_phones(arrays),
        **metadata_from({key: arrays.text(key, "") for key in KEYS if key in arrays}, path),
    )


def _markers(arrays: Arrays) -> tuple[Marker, ...]:
    if "marker_index" not in arrays:
        return ()
    indices = arrays.numbers("marker_index", 1)
    labels = arrays.texts("marker_label", [""] * len(indices))
    return tuple(Marker(int(i), label) for i, label in zip(indices, labels, strict=True))


def _phones(arrays: Arrays) -> tuple[Segment, ...]:
    if "phone_start_s" not in arrays:
        return ()
    starts, ends = arrays.numbers("phone_start_s", 1), arrays.numbers("phone_end_s", 1)
    labels = arrays.texts("phone_label", [""] * len(starts))
    if len(ends) != len(starts):
        raise RecordingError(f"phone_end_s of {arrays.path}", value=len(ends), allowed=len(starts))
    return tuple(map(Segment, starts.tolist(), ends.tolist(), labels))
