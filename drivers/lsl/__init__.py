"""Lab Streaming Layer: an EMG stream in, any source and all results out.

``library``
    liblsl, its clock, and the configuration that keeps it on this machine.
``description``
    What streams say of themselves, written and read.
``loopback``
    Outlets that only programs on this machine can reach.
``finding``, ``naming``
    All streams there are, or the one that is wanted.
``link``, ``search``
    One stream, received in a thread of its own, and looked for again when it is gone.
``cutting``, ``stamps``
    Stamped samples and markers as chunks; which stamps are believed.
``inlet``
    `LslSource`, a stream as a source.
``sending``, ``outlet``, ``outlets``
    What outlets share; `LslOutlet` and `publish`, a source as a stream; speech, estimates
    and events as streams.

Beside its EMG stream an `LslOutlet` has a stream of type ``Markers``, one string a
marker, and names it in the metadata (``desc/markers/source_id``). A marker carries the
time stamp of its sample. `LslSource` begins an epoch at each `UTTERANCE` and ends at
`END`, so a relayed replay keeps its utterances. LSL itself knows no end of a stream:
one from elsewhere just falls silent, and a session on it ends by its duration or by hand.
What is not relayed: `Chunk.lead_in`.

Markers of another program (`LslSource` has ``markers`` for them) are labels at their
samples. They end nothing, and begin an epoch only where they say so: ``utterance NAME``.
"""

from drivers.lsl.finding import FoundStream, find_streams
from drivers.lsl.inlet import LslSource
from drivers.lsl.library import use_loopback
from drivers.lsl.loopback import keep_outlets_here
from drivers.lsl.outlet import LslOutlet, publish
from drivers.lsl.outlets import AudioOutlet, EstimatesOutlet, EventsOutlet

__all__ = [
    "AudioOutlet",
    "EstimatesOutlet",
    "EventsOutlet",
    "FoundStream",
    "LslOutlet",
    "LslSource",
    "find_streams",
    "keep_outlets_here",
    "publish",
    "use_loopback",
]
