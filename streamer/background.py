"""Work that must not stand in the way of the voice."""

import threading
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
        Called whenever all jobs that waited are done.
    blocking : bool
        Let `submit` wait when too many jobs wait; else jobs that may be dropped are, and
        are counted.
    capacity : int
        Jobs that may wait.
    interval_s : float
        From one round of jobs to the next.

    Attributes
    ----------
    dropped : int
        Jobs that were not done because too many waited.
    error : BaseException or None
        What a job raised; the jobs after it are done nevertheless.
    """

    def __init__(
        self, idle: Job, *, blocking: bool, capacity: int = 10_000, interval_s: float = 0.05
    ) -> None:
        self.dropped = 0
        self.error: BaseException | None = None
        self._idle = idle
        self._blocking = blocking
        self._capacity = capacity
        self._interval_s = interval_s
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, job: Job, *, may_drop: bool = False) -> None:
        """Have a job done.

        Parameters
        ----------
        job : callable
            Run on the thread.
        may_drop : bool
            Better dropped than late.
        """
        with self._changed:
            if self._blocking:
                self._changed.wait_for(lambda: len(self._jobs) < self._capacity)
            elif may_drop and len(self._jobs) >= self._capacity:
                self.dropped += 1
                return
            self._jobs.append(job)
            if self._urgent():
                self._changed.notify_all()

    def close(self) -> None:
        """Have all jobs done that wait, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._urgent, self._interval_s)
                jobs, closed = list(self._jobs), self._closed
                self._jobs.clear()
                self._changed.notify_all()
            for job in jobs:
                self._do(job)
            if jobs:
                self._do(self._idle)
            if closed and not jobs:
                return

    def _urgent(self) -> bool:
        return self._closed or len(self._jobs) > self._capacity // 2

    def _do(self, job: Job) -> None:
        try:
            job()
        except Exception as error:  # kept for the session, which raises it
            self.error = self.error or error
