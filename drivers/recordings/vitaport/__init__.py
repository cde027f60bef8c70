"""Files of the Vitaport II and Varioport recorders (Becker Meditec), read only.

There are two kinds of files, and both are read: converted ones (``.vpd``, a block for each
channel and tables of events behind them) and raw ones as the device writes them (``.RAW``,
multiplexed by scan tick, several recordings one after the other).

The reader was written from the layout that other readers agree on (avg_q, CTAP, PsPM). One
raw file of a Varioport, of an ECG, could be tried: demultiplexing and time were right. No
converted file of a device has been seen, nor EMG in microvolts; tests use files written by the
layout. Look at the amplitudes before you trust them: see `read_vitaport` for the scale of EMG.

``layout``
    The headers.
``counts``
    Where the samples of each channel lie, and the tables of events.
``parts``
    The recordings of a file, as bytes.
``choice``
    What each channel becomes.
``reader``
    Recordings from all this.
"""

from drivers.recordings.format import Format
from drivers.recordings.vitaport.layout import looks_like_vitaport
from drivers.recordings.vitaport.reader import details, read_vitaport

FORMAT = Format(
    name="Vitaport",
    suffixes=(".vpd", ".raw"),
    recognises=looks_like_vitaport,
    read=read_vitaport,
    details=details,
    takes=frozenset({"emg_scale_uv", "unit"}),
)

__all__ = ["FORMAT", "details", "read_vitaport"]
