"""Work that must not stand in the way of the voice."""

import threading
import time
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Background:
    """A thread that does jobs in their order.

    It wakes at intervals rather than for each job: a thread that wakes a hundred times a
    second costs the real-time threads more than its work.

    Parameters
    ----------
    idle : callable
        Called when all jobs that waited are done.
    inline : bool
        There is nothing to stand in the way of: do each job at once, on the submitter's
        thread, which spares the two to fight for the interpreter.
    capacity : int
        Jobs that may wait.
    interval_s : float
        From one round of jobs to the next.

    Attributes
    ----------
    dropped : int
        Jobs that were not done because too many waited.
    error : BaseException or None
        What a job raised on the thread; the jobs after it are done nevertheless.
    """

    def __init__(
        self, idle: Job, *, inline: bool, capacity: int = 3000, interval_s: float = 0.05
    ) -> None:
        self.dropped = 0
        self.error: BaseException | None = None
        self._idle = idle
        self._inline = inline
        self._idle_s = 0.0
        self._capacity = capacity
        self._interval_s = interval_s
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        if not self._inline:
            self._thread.start()

    def submit(self, job: Job, *, may_drop: bool = False) -> None:
        """Have a job done.

        Parameters
        ----------
        job : callable
            The job.
        may_drop : bool
            Better dropped, and counted, than waited for without a bound.
        """
        if self._inline:
            job()
            if time.perf_counter() - self._idle_s >= self._interval_s:
                self._idle()
                self._idle_s = time.perf_counter()
            return
        with self._changed:
            if may_drop and len(self._jobs) >= self._capacity:
                self.dropped += 1
            else:
                self._jobs.append(job)

    def close(self) -> None:
        """Have all jobs done that wait, and end; may be called twice."""
        if self._inline:
            self._idle()
            return
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, self._interval_s)
                jobs, closed = list(self._jobs), self._closed
                self._jobs.clear()
            for job in jobs:
                self._do(job)
            if jobs:
                self._do(self._idle)
            if closed and not jobs:
                return

    def _do(self, job: Job) -> None:
        try:
            job()
        except Exception as error:  # kept for the session, which raises it
            self.error = self.error or error
