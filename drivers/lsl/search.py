"""Looking for a stream that was there before.

By liblsl's one-shot queries. Its `ContinuousResolver` asks half as often, and to destroy one
can abort the process (liblsl issue 220).
"""

import threading
import time
from typing import Any

from drivers.lsl.finding import equal
from drivers.lsl.library import pylsl
from drivers.reconnect import StallTimer

_TURN_S = 0.8  # liblsl asks known peers half a second after the network
_AWAY_TURNS = 2  # without it: one answer may be lost


class Search:
    """Looks for a stream that was there before, in a thread of its own.

    By its source_id; where it has none, by name and type. A query cannot be broken off,
    so the thread outlives `stop` for most of a second.

    Parameters
    ----------
    before : pylsl.StreamInfo
        The stream.
    at_least : int
        A turn ends early when as many have answered.
    """

    def __init__(self, before: Any, *, at_least: int = 1) -> None:
        source_id = before.source_id()
        self._predicate = (
            equal("source_id", source_id)
            if source_id
            else " and ".join([equal("name", before.name()), equal("type", before.type())])
        )
        self._at_least = at_least
        self._latest: list[Any] = []
        self._answered = threading.Event()
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="LSL search", daemon=True).start()

    def answer(self, timeout_s: float) -> list[Any] | None:
        """Return what was found in the latest turn.

        Parameters
        ----------
        timeout_s : float
            How long to wait for it.

        Returns
        -------
        list of pylsl.StreamInfo or None
            None where there was no turn since the last call.
        """
        if not self._answered.wait(timeout_s):
            return None
        self._answered.clear()
        return self._latest

    def stop(self) -> None:
        """Look no longer."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            start_s = time.monotonic()
            self._latest = pylsl.resolve_bypred(self._predicate, self._at_least, _TURN_S)
            self._answered.set()
            # What is found at once is not asked for without a pause.
            self._stopped.wait(max(0.0, _TURN_S / 2 - (time.monotonic() - start_s)))


def successor(found: list[Any], before: Any) -> Any:
    """Choose the stream that goes on where another one was lost.

    Parameters
    ----------
    found : list of pylsl.StreamInfo
        What a search for it found.
    before : pylsl.StreamInfo
        The lost one.

    Returns
    -------
    pylsl.StreamInfo or None
        The only one, fit or not; of several the only one with the same channel count and
        rate. None where that does not tell which.
    """
    if len(found) > 1:
        shape = (before.channel_count(), before.nominal_srate())
        found = [s for s in found if (s.channel_count(), s.nominal_srate()) == shape]
    return found[0] if len(found) == 1 else None


class Watch:
    """Tells a signal that pauses from one whose sender is gone without a word.

    A machine that crashed or was unplugged says no good-bye, and a connection that outlived
    a pulled cable may take as long to speak again as the cable was out. So a silent stream
    is looked for; if it was away, it is to be subscribed to anew as soon as it, or one in
    its place, is there.
    """

    def __init__(self, stream: Any, now_s: float) -> None:
        self._stream = stream
        self._signal = stream.nominal_srate() > 0  # events may be rare
        self._silence = StallTimer()
        self._search: Search | None = None
        self.calm(now_s)

    def calm(self, now_s: float) -> None:
        """Take note that data came."""
        self._silence.touch(now_s)
        self._missed = 0
        if self._search is not None:
            self._search.stop()
            self._search = None

    def gone(self, now_s: float) -> bool:
        """Say whether it takes a new subscription, no data having come."""
        if not (self._signal and self._silence.stalled(now_s)):
            return False
        if self._search is None:
            self._search = Search(self._stream, at_least=2)
        found = self._search.answer(0.0)
        if found is None:
            return False
        there = self._stream.uid() in {stream.uid() for stream in found}
        if not there:
            self._missed += 1
        back = self._missed >= _AWAY_TURNS and bool(found)
        if there:
            self._missed = 0
        return back
