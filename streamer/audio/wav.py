"""A WAV file that can be read at any moment, even after a kill."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_BYTES = 2
_MOST_BYTES = 0xFFFFFFFF - _HEADER.size  # 37 h at 16 kHz; later audio is there, but not announced


class WavFile:
    """Mono, 16 bit PCM, written while it grows.

    Nothing is buffered here, and `flush` rewrites the header, which never announces more
    than there is: readers that trust the header (the standard library, scipy) can read it too.

    Parameters
    ----------
    path : Path
        Must not exist.
    rate_hz : int
        Sampling rate.

    Raises
    ------
    OSError
        It cannot be written; so for all methods.
    """

    def __init__(self, path: Path, rate_hz: int) -> None:
        self.path = path
        self.samples = 0
        self._rate_hz = rate_hz
        self._announced = -1
        self._file = path.open("xb", buffering=0)
        try:
            self.flush()
        except BaseException:
            self._file.close()
            path.unlink()  # a file without a header is no WAV
            raise

    def write(self, audio: NDArray[np.float32]) -> None:
        """Append samples, full scale 1; beyond it they are clipped."""
        pcm = np.clip(np.rint(audio * 32768.0), -32768, 32767).astype("<i2").tobytes()
        view = memoryview(pcm)
        while view:  # a raw file may take a part only
            view = view[self._file.write(view) :]
        self.samples += len(audio)

    def flush(self) -> None:
        """Announce what was written."""
        if self._announced == self.samples:
            return
        size = min(self.samples * _BYTES, _MOST_BYTES)
        header = _HEADER.pack(
            b"RIFF",
            _HEADER.size - 8 + size,
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            self._rate_hz,
            self._rate_hz * _BYTES,
            _BYTES,
            8 * _BYTES,
            b"data",
            size,
        )
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(0, 2)
        self._announced = self.samples

    def close(self) -> None:
        """Announce what was written, and close."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()
