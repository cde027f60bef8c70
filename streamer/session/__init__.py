"""A source's EMG to speech and estimates: what starts, joins and ends all parts.

``session``
    `Session` and its settings.
``drive``, ``workers``, ``compute``
    The reading and the computing thread, which end together, and what the second one does.
``channels``, ``warm_up``
    Before it starts: which of the source's channels the models get, and every model run once.
``parts``, ``conclusion``, ``comparison``
    What counts, what it comes to, and how far it is from natural speech.
"""

from streamer.session.session import Session, SessionSettings

__all__ = ["Session", "SessionSettings"]
