"""The arrays of an NPZ file, each checked before it is loaded and before it is used."""

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.texts import open_regular
from drivers.recordings.metadata import KEYS

NEEDED = ("emg_uv", "rate_hz")
NEEDED_TEXT = "emg_uv (samples, channels) in microvolts and rate_hz"
# Nothing recorded can be pressed as much; a file that is, wants to fill the memory.
_LARGEST_RATIO = 100
_SMALL_BYTES = 1 << 24
_KEYS = (
    *("emg_uv", "rate_hz", "name", "channel_labels", "channel_units", "channel_types"),
    *("lead_in_uv", "marker_index", "marker_label", "audio", "audio_rate_hz"),
    *("phone_start_s", "phone_end_s", "phone_label"),
    *KEYS,
)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the archive.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    zipfile.ZipFile
        To read from.

    Raises
    ------
    RecordingError
        It is damaged.
    """
    with open_regular(path, f"NPZ {path}", RecordingError) as raw:
        try:
            archive = zipfile.ZipFile(raw)
        # zipfile meets damaged bytes with many exceptions
        except Exception as error:
            raise _damaged(path, error) from error
        with archive:
            yield archive


def load(archive: zipfile.ZipFile, prefix: str, path: Path) -> dict[str, NDArray[Any]]:
    """Load the documented arrays of one recording, after a look at what they claim to be.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Open.
    prefix : str
        Before the keys of this recording.
    path : Path
        The file, for errors.

    Returns
    -------
    dict of str to ndarray
        By their keys without the prefix.

    Raises
    ------
    RecordingError
        One is damaged, or not what its header says.
    """
    members = archive.NameToInfo
    try:
        return {
            key: _array(archive, members[name], path)
            for key in _KEYS
            if (name := f"{prefix}{key}.npy") in members
        }
    except RecordingError:
        raise
    # zipfile and numpy meet damaged bytes with many exceptions
    except Exception as error:
        raise _damaged(path, error) from error


def unknown_names(names: Sequence[str]) -> list[str]:
    """List the members that no key is documented for, so that nobody reads them.

    Parameters
    ----------
    names : sequence of str
        Of all members.

    Returns
    -------
    list of str
        Such as ``"trigger"``.
    """
    keys = (name.removesuffix(".npy") for name in names)
    return sorted({key for key in keys if key.rpartition("/")[2] not in _KEYS})


def _array(file: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    """Load an array whose header agrees with the size of its member."""
    pressed = min(info.compress_size, path.stat().st_size)
    if info.file_size > max(_SMALL_BYTES, _LARGEST_RATIO * pressed):
        raise RecordingError(
            f"{info.filename} of {path}",
            value=f"{info.file_size} bytes in {pressed}",
            allowed=f"up to {_LARGEST_RATIO} times",
            way_out="save it again with numpy.savez",
        )
    with file.open(info) as member:
        major, _ = npy.read_magic(member)
        read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
        shape, _, dtype = read_header(member)
        claimed = math.prod(shape) * dtype.itemsize
        there = info.file_size - member.tell()
    if dtype.hasobject or claimed != there:
        raise RecordingError(
            f"{info.filename} of {path}",
            value=f"{dtype} {shape}, {there} bytes",
            allowed="numbers or texts of the size that the header says",
        )
    with file.open(info) as member:
        return npy.read_array(member, allow_pickle=False)


def _damaged(path: Path, error: Exception) -> RecordingError:
    return RecordingError(
        f"content of {path}",
        value=f"damaged ({type(error).__name__}: {str(error)[:100]})",
        way_out="copy the file again",
    )


class Arrays:
    """Checked access to the arrays of one recording.

    Parameters
    ----------
    path : Path
        The file, for errors.
    prefix : str
        Before the keys of this recording, for errors.
    arrays : mapping of str to ndarray
        What `load` gave.
    """

    def __init__(self, path: Path, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.path = path
        self._prefix = prefix
        self._arrays = arrays

    def __contains__(self, key: str) -> bool:
        """Say whether there is such an array."""
        return key in self._arrays

    def length(self, key: str) -> int | None:
        """Say how many entries a list has; None where there is none."""
        array = self._arrays.get(key)
        return None if array is None or array.ndim != 1 else len(array)

    def _wrong(self, key: str, allowed: str) -> RecordingError:
        there = self._arrays.get(key)
        return RecordingError(
            f"{self._prefix}{key} of {self.path}",
            value="missing" if there is None else f"{there.dtype} {there.shape}",
            allowed=allowed,
        )

    def numbers(self, key: str, dimensions: int) -> NDArray[Any]:
        """Get an array of real numbers."""
        array = self._arrays.get(key)
        if array is None or array.ndim != dimensions or array.dtype.kind not in "fiu":
            raise self._wrong(key, f"numbers in {dimensions} dimensions, at least {NEEDED_TEXT}")
        return array

    def indices(self, key: str) -> list[int]:
        """Get an array of places in the samples, before and behind them, too."""
        array = self.numbers(key, 1)
        # beyond it, floats are no whole numbers any more
        if not np.all(np.abs(array.astype(np.float64)) < 2.0**53) or np.any(array % 1):
            raise self._wrong(key, "whole numbers")
        return [int(index) for index in array]

    def samples(self, key: str, dimensions: int) -> NDArray[np.float32]:
        """Get an array of samples."""
        with np.errstate(over="ignore"):  # becomes infinite, which nobody can miss
            return np.ascontiguousarray(self.numbers(key, dimensions), np.float32)

    def sound(self, key: str) -> NDArray[np.float32]:
        """Get sound, of which integers are parts of their full scale."""
        dtype = self.numbers(key, 1).dtype
        if dtype.kind == "u":  # whose zero is in the middle, or is not
            raise self._wrong(key, "floats, or integers with a sign")
        sound = self.samples(key, 1)
        return sound if dtype.kind == "f" else sound / np.float32(2.0 ** (8 * dtype.itemsize - 1))

    def rate_hz(self, key: str) -> float:
        """Get a sampling rate."""
        rate_hz = float(self.numbers(key, 0))
        if not (rate_hz > 0 and math.isfinite(rate_hz)):
            raise RecordingError(
                f"{self._prefix}{key} of {self.path}", value=rate_hz, allowed="above 0 Hz"
            )
        return rate_hz

    def text(self, key: str, default: str) -> str:
        """Get a text."""
        array = self._arrays.get(key)
        if array is None:
            return default
        if array.ndim or array.dtype.kind != "U":
            raise self._wrong(key, "a text")
        return str(array)

    def texts(self, key: str, default: Sequence[str]) -> list[str]:
        """Get as many texts as there are in `default`."""
        array = self._arrays.get(key)
        if array is None:
            return list(default)
        if array.shape != (len(default),) or array.dtype.kind not in (
            "U" if len(default) else "Uf"
        ):
            raise self._wrong(key, f"{len(default)} texts")
        return [str(one) for one in array]
