"""Looking for a stream that was there before.

By liblsl's one-shot queries. Its `ContinuousResolver` asks half as often, and to destroy one
can abort the process (liblsl issue 220).
"""

import threading
import time
from typing import Any

from drivers.lsl.library import pylsl
from drivers.lsl.naming import MOST, identity, matching, predicate
from drivers.outside.names import clean
from drivers.reconnect import StallTimer

_TURN_S = 0.8  # liblsl asks known peers half a second after the network
_AWAY_TURNS = 2  # without it: one answer may be lost
_NAMESAKE_TURNS = 4  # of which the last is for namesakes, as long as there are none


class Search:
    """Looks for a stream that was there before, in a thread of its own.

    Name, type and source_id have to be the same: some devices have one source_id for all
    their streams, and where there is none, names are all there is. A query cannot be broken
    off, so the thread outlives `stop` for most of a second.

    Parameters
    ----------
    before : pylsl.StreamInfo
        The stream.
    at_least : int
        A turn ends early when as many have answered.

    Attributes
    ----------
    namesake : str or None
        A stream that shares its name and type, or its source_id, and is not the same: for
        people, who may have started the sender anew under another identity.
    """

    def __init__(self, before: Any, *, at_least: int = 1) -> None:
        self.namesake: str | None = None
        self._identity = identity(before)
        same = {field: predicate(field, value) for field, value in self._identity.items()}
        self._same = " and ".join(same.values())
        self._alike = f"({same['name']} and {same['type']})"
        if self._identity["source_id"]:
            self._alike += f" or {same['source_id']}"
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
        turn = 0
        while not self._stopped.is_set():
            turn += 1
            start_s = time.monotonic()
            self._latest = self._look(turn)
            self._answered.set()
            # What is found at once is not asked for without a pause.
            self._stopped.wait(max(0.0, _TURN_S / 2 - (time.monotonic() - start_s)))

    def _look(self, turn: int) -> list[Any]:
        """Return the streams that are the same, and note whether another one looks like it."""
        alike = self.namesake is None and turn % _NAMESAKE_TURNS == 0
        question, least = (self._alike, MOST) if alike else (self._same, self._at_least)
        found: list[Any] = pylsl.resolve_bypred(question, least, _TURN_S)
        own = self._identity
        named = matching(matching(found, "name", own["name"]), "type", own["type"])
        same = matching(named, "source_id", own["source_id"])
        if alike and not same:
            of_its_id = matching(found, "source_id", own["source_id"]) if own["source_id"] else []
            for other in [*named, *of_its_id][:1]:
                source_id = clean(other.source_id()) or "none"
                self.namesake = f"'{clean(other.name())}' ({clean(other.type())}, id {source_id})"
        return same


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

    @property
    def namesake(self) -> str | None:
        """A stream that looks like it, where it is away (see `Search`)."""
        return None if self._search is None else self._search.namesake

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
