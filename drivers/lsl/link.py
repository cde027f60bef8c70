"""One stream, kept: received in a thread of its own and found again when it is gone.

Everything of liblsl that can block happens in that thread, and nobody waits for the thread
without a limit: liblsl's time-outs do not cover all that it waits for (threads that rest half
a second after each failure; inlets that would not be destroyed, its issue 201), and during a
call Python does not hear Ctrl-C. liblsl's own recovery is not used: it knows at once that a
sender died but tells nobody, and gives one that was unplugged 15 s.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SourceError
from drivers.lsl.description import check_numbers
from drivers.lsl.finding import resolve
from drivers.lsl.library import NO_ANSWER, one_line, pylsl
from drivers.lsl.search import Search, Watch, successor
from drivers.reconnect import Backoff

_LIBLSL_BUFFER_S = 10
_WAIT_S = 0.05  # of one pull; for so long `close` may take
_MOST_SAMPLES = 4096  # of one pull
_TOGETHER_S = 1e-4  # liblsl hands over sample by sample what was sent as one chunk
_SYNCHRONISE_S = 0.5
# For a stream that was found again to answer: a comparison of clocks takes 0.64 s, and when
# it fails, a new inlet tries again at once, this one after 2 s.
_ANSWER_S = 1.0
_GRACE_S = 2.0  # for liblsl to keep its time-outs
_CLOSE_S = 1.0

_LARGEST_OFFSET_S = 1e10  # of two clocks, one of which may count from 1970

_Inlet = Any  # pylsl has no types


@dataclass(frozen=True, eq=False)
class Piece:
    """What came in one go.

    Attributes
    ----------
    stream : pylsl.StreamInfo
        Full description of the stream; another object after each return.
    values : ndarray of shape (n, channels)
        In the stream's own format, texts as bytes; none in the first piece of a connection.
    stamps_s : ndarray of float64, shape (n,)
        Time stamps on the sender's clock.
    offset_s : float
        Added to them, gives the time on this machine's LSL clock.
    received_s : float
        Arrival on this machine's LSL clock.
    """

    stream: Any
    values: Any
    stamps_s: NDArray[np.float64]
    offset_s: float
    received_s: float


class Link:
    """A subscription to one stream.

    Parameters
    ----------
    field : str
        ``"name"``, ``"type"`` or ``"source_id"``, or several of them joined by `` or ``.
    value : str
        What it must be.
    timeout_s : float
        How long to look for it, and to wait for each of its answers.
    buffer_s : float
        What is not read for so long is dropped.
    namesakes : bool
        There may be other streams that are meant.
    """

    def __init__(
        self,
        field: str,
        value: str,
        *,
        timeout_s: float,
        buffer_s: float = math.inf,
        namesakes: bool = True,
    ) -> None:
        self._field, self._value = field, value
        self._timeout_s = timeout_s
        self._buffer_s = buffer_s
        self._namesakes = namesakes
        self._changed = threading.Condition()
        self._pieces: deque[Piece] = deque()
        self._found: Any = None
        self._subscribed = False
        self._error: Exception | None = None
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._lost = False
        self._dropped = 0
        self._search: Search | Watch | None = None
        self._thing = f"LSL stream with {field} '{value}'"
        self._thread = threading.Thread(target=self._run, name="LSL link", daemon=True)

    @property
    def lost(self) -> bool:
        """The stream is gone and being looked for."""
        return self._lost

    @property
    def namesake(self) -> str | None:
        """A stream that looks like the lost one and is not the same, for people."""
        search = self._search
        return None if search is None else search.namesake

    @property
    def dropped(self) -> int:
        """Samples that were not read in time."""
        return self._dropped

    def find(self) -> Any:
        """Find the stream and compare clocks with it.

        Returns
        -------
        pylsl.StreamInfo
            Its full description.

        Raises
        ------
        SourceError
            There is none, there are several, or it does not answer.
        """
        self._thread.start()
        # The thread's own time-outs come first, unless liblsl breaks them.
        self._wait(lambda: self._found is not None, 3 * self._timeout_s + _GRACE_S)
        return self._found

    def subscribe(self) -> None:
        """Receive what is sent from now on.

        Raises
        ------
        SourceError
            The stream does not answer.
        """
        self._wanted.set()
        self._wait(lambda: self._subscribed, self._timeout_s + _GRACE_S)

    def read(self, timeout_s: float) -> Piece | None:
        """Return the next piece as soon as there is one, None after `timeout_s`.

        Parameters
        ----------
        timeout_s : float
            How long to wait, whatever liblsl does.

        Returns
        -------
        Piece or None
            What came.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._error, max(0.0, timeout_s))
            if self._pieces:
                return self._pieces.popleft()
        if self._error is not None:
            raise self._error
        return None

    def stop(self) -> None:
        """Tell the thread to end."""
        self._closing.set()
        self._wanted.set()

    def close(self) -> None:
        """Let go of the stream, or, if liblsl hangs, of the thread that waits for it."""
        self.stop()
        if self._subscribed:  # else it may be looking for a while, and has nothing to let go of
            self._thread.join(_CLOSE_S)

    def _wait(self, done: Callable[[], bool], timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: done() or self._error, timeout_s)
        if self._error is not None:
            raise self._error
        if not done():
            raise self._silent()

    def _silent(self) -> SourceError:
        return SourceError(
            self._thing,
            value="found, but it does not answer",
            way_out="look for a firewall between the machines, or start it again",
        )

    # What follows runs in the thread.

    def _run(self) -> None:
        try:
            stream = resolve(self._field, self._value, self._timeout_s, namesakes=self._namesakes)
            self._keep(self._connect(stream, self._timeout_s))
        except Exception as error:  # it is the reader's
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _keep(self, connected: tuple[_Inlet, Any] | None) -> None:
        """Receive until the end, over as many connections as it takes."""
        if connected is None:
            raise self._silent()
        while connected is not None:
            inlet, stream = connected
            self._lost = False
            with self._changed:
                self._subscribed = True
                self._changed.notify_all()
            self._receive(inlet, stream)
            self._lost = True
            box = [inlet]
            del inlet, connected
            if self._closing.is_set():
                return
            _destroy(box)
            connected = self._find_again(stream)

    def _connect(self, stream: Any, timeout_s: float) -> tuple[_Inlet, Any] | None:
        """Ask a stream what it is and what time it has, then subscribe when that is wanted."""
        check_numbers(stream)
        with one_line(self._thing):
            inlet = pylsl.StreamInlet(stream, max_buflen=_LIBLSL_BUFFER_S, recover=False)
        try:
            with one_line(self._thing):
                full = inlet.info(timeout_s)
                # Comparing clocks takes long enough for samples to queue up: subscribe last.
                inlet.time_correction(timeout_s)
            with self._changed:
                self._found = full
                self._changed.notify_all()
            self._wanted.wait()
            with one_line(self._thing):
                inlet.open_stream(timeout_s)
        except NO_ANSWER:
            box = [inlet]
        else:
            return inlet, full
        del inlet
        _destroy(box)
        return None

    def _find_again(self, before: Any) -> tuple[_Inlet, Any] | None:
        """Look for a lost stream, None if the link is closed meanwhile."""
        self._search = search = Search(before)
        backoff = Backoff()
        try:
            while not self._closing.wait(backoff.left_s(pylsl.local_clock())):
                stream = successor(search.answer(_WAIT_S) or [], before)
                if stream is None:
                    continue
                check_numbers(stream)
                with suppress(SourceError):  # liblsl may find no port now, and one later
                    connected = self._connect(stream, _ANSWER_S)
                    if connected is not None:
                        return connected
                backoff.failed(pylsl.local_clock())
        finally:
            search.stop()
        return None

    def _receive(self, inlet: _Inlet, stream: Any) -> None:
        """Hand on what comes, until the stream is lost or the link is closed."""
        numbers = stream.channel_format() != pylsl.cf_string
        now_s = synchronised_s = pylsl.local_clock()
        self._search = watch = Watch(stream, now_s)
        try:
            offset_s = _offset_s(inlet, 0.0)
            self._put(Piece(stream, [], np.empty(0), offset_s, now_s))
            while not self._closing.is_set():
                with one_line(self._thing):
                    values, stamps_s = _pull(inlet, numbers)
                now_s = pylsl.local_clock()
                if len(stamps_s):
                    watch.calm(now_s)
                    if now_s - synchronised_s > _SYNCHRONISE_S:
                        offset_s, synchronised_s = _offset_s(inlet, offset_s), now_s
                    self._put(Piece(stream, values, stamps_s, offset_s, now_s))
                elif watch.gone(now_s):
                    return
        except NO_ANSWER:
            return
        finally:
            watch.calm(now_s)

    def _put(self, piece: Piece) -> None:
        with self._changed:
            self._pieces.append(piece)
            while piece.received_s - self._pieces[0].received_s > self._buffer_s:
                self._dropped += len(self._pieces.popleft().stamps_s)
            self._changed.notify_all()


def _destroy(box: list[_Inlet]) -> None:
    """Destroy an inlet without waiting for it."""
    threading.Thread(target=box.clear, name="LSL farewell", daemon=True).start()


def _offset_s(inlet: _Inlet, before_s: float) -> float:
    """Return how far the sender's clock is behind ours, as before where that is no number."""
    offset_s = float(inlet.time_correction(0.0))
    return offset_s if abs(offset_s) < _LARGEST_OFFSET_S else before_s


def _pull(inlet: _Inlet, numbers: bool) -> tuple[Any, NDArray[np.float64]]:
    """Wait for the first sample and take all that were sent together with it."""
    values, stamps_s = inlet.pull_chunk(timeout=_WAIT_S, max_samples=1, as_numpy=True)
    if not numbers or not len(stamps_s):
        return values, stamps_s
    time.sleep(_TOGETHER_S)
    more, later_s = inlet.pull_chunk(max_samples=_MOST_SAMPLES, as_numpy=True)
    return np.concatenate([values, more]), np.concatenate([stamps_s, later_s])
