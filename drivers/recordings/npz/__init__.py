"""NPZ, both ways: numpy's own file, which holds a recording exactly.

========================  ==========================  ================================
key                       type, shape                 meaning
========================  ==========================  ================================
``emg_uv``                float32 (n, channels)       EMG in microvolts; a row of NaN
                                                      is a lost sample
``rate_hz``               float64                     its sampling rate
``name``                  str                         default: the file's
``channel_labels``        str (channels,)             default: EMG1, EMG2 ...
``channel_units``         str (channels,)             default: uV
``channel_types``         str (channels,)             default: EMG
``lead_in_uv``            float32 (m, channels)       EMG right before ``emg_uv``
``marker_index``          int64 (k,)                  rows of ``emg_uv``
``marker_label``          str (k,)
``audio``                 float32 (samples,)          full scale 1
``audio_rate_hz``         float64
``transcript``, ``mode``  str
``speaker``, ``session``  str
``split``                 str                         ``train`` or ``test``
``phone_start_s``         float64 (k,)                and ``phone_end_s``
``phone_label``           str (k,)
``recorded_at``           str                         ISO 8601
========================  ==========================  ================================

The first two have to be there, all others may be missing. A file of several recordings
has each one's keys behind its number and a slash: ``000000/emg_uv``, ``000001/emg_uv``.
Nothing is pickled. Arrays of other names are left out, and named by ``streamer info``.
"""

from pathlib import Path

from drivers.recordings.format import Format
from drivers.recordings.npz.read import details, read
from drivers.recordings.npz.write import write

__all__ = ["FORMAT"]


def _is_npz(path: Path, head: bytes) -> bool:
    """Look at the first member's name, as the archive may be truncated."""
    size = int.from_bytes(head[26:28], "little")
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + size].endswith(b".npy")


FORMAT = Format("NPZ", (".npz",), _is_npz, read, write, details, frozenset({"unit"}))
