"""Threads that end together."""

import threading
from collections.abc import Callable, Mapping, Sequence

from drivers.errors import StreamerError

Job = Callable[[], None]

STUCK_S = 30.0
"""How long one step of a job may take."""

_LOOK_S = 0.1


class Workers:
    """Runs jobs on a thread each; the error of one ends them all.

    Parameters
    ----------
    release : callable
        Called on a failure: lets go of whoever waits for the one that failed.
    step : callable, optional
        Says which step the last one is at, None while it waits for something to do: an operator
        of a graph can take hours, and nothing ends it.
    stuck_s : float
        How long a step may take.

    Attributes
    ----------
    failed : threading.Event
        Set on a failure; a job has to look at it.
    error : BaseException or None
        The first one.
    """

    def __init__(
        self,
        release: Job,
        step: Callable[[], int | None] = lambda: None,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.failed = threading.Event()
        self.error: BaseException | None = None
        self._release = release
        self._step = step
        self._stuck_s = stuck_s

    def run(self, jobs: Mapping[str, Job], interrupt: Job) -> None:
        """Run all jobs to their ends.

        Parameters
        ----------
        jobs : mapping of str to callable
            By the name of their thread, in the direction of the data.
        interrupt : callable
            Called on Ctrl-C; must make the jobs end.
        """
        threads = [
            threading.Thread(target=self._guard, args=(job,), name=name, daemon=True)
            for name, job in jobs.items()
        ]
        for thread in threads:
            thread.start()
        while True:
            try:
                return self._join(threads)
            except KeyboardInterrupt:
                interrupt()

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        """Wait for all of them; the last one is left to itself where it gets no further."""
        *others, last = threads
        step, looks = self._step(), 0  # no clock: it goes on while the process is stopped
        while last.is_alive():
            last.join(_LOOK_S)
            before, step = step, self._step()
            looks = 0 if step is None or step != before else looks + 1
            if looks * _LOOK_S > self._stuck_s:
                self._fail(
                    StreamerError(
                        "the models",
                        value=f"no answer for {self._stuck_s:g} s",
                        way_out="what was made until then is kept; take another bundle",
                    )
                )
                break
        for thread in others:
            thread.join()

    def _guard(self, job: Job) -> None:
        try:
            job()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.failed.set()
        self._release()
