"""Lab Streaming Layer: an EMG stream in, any source out.

``library``
    liblsl, and the configuration that keeps it on this machine.
``streams``
    Finding streams; what their metadata say.
``timeline``
    Lost samples, from time stamps alone.
``inlet``
    `LslSource`, a stream as a source.
``outlet``
    `LslOutlet` and `publish`, a source as a stream.

Beside its EMG stream an `LslOutlet` has a stream of type ``Markers``, one string a
marker, and names it in the metadata (``desc/markers/source_id``). A marker carries the
time stamp of its sample. `LslSource` begins an epoch at each `UTTERANCE` and ends at
`END`, so a relayed replay keeps its utterances. LSL itself knows no end of a stream:
one from elsewhere just falls silent, and a session on it ends by its duration or by hand.
What is not relayed: `Chunk.lead_in`.
"""

from drivers.lsl.inlet import LslSource
from drivers.lsl.library import use_loopback
from drivers.lsl.outlet import LslOutlet, publish
from drivers.lsl.streams import FoundStream, find_streams

__all__ = ["FoundStream", "LslOutlet", "LslSource", "find_streams", "publish", "use_loopback"]
