"""XDF, the container of Lab Streaming Layer's recordings.

``container``
    The chunks; what writer and scanner share.
``writer``, ``encoding``
    `XdfWriter`, a file that grows at its end only.
``session``, ``emg_part``
    `SourceXdf`, a source written to a file while it runs; how our files are laid out.
``convert``
    Recordings of any origin to a file.
``scan``, ``heads``, ``elements``
    What a file really holds, within bounds.
``load``
    Samples and synchronised time stamps, by pyxdf.
``own``, ``foreign``, ``signals``
    Recordings from our files, and from those of others.
``choice``, ``channels``, ``stamps``
    Which streams of others are read, in which units, and at which times.
``reader``
    `FORMAT`, for the registry.
"""

from drivers.recordings.xdf.reader import FORMAT
from drivers.recordings.xdf.session import SourceXdf
from drivers.recordings.xdf.writer import XdfWriter

__all__ = ["FORMAT", "SourceXdf", "XdfWriter"]
