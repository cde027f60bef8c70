"""Threads that end together."""

import threading
from collections.abc import Callable, Mapping

Job = Callable[[], None]


class Workers:
    """Runs jobs on a thread each; the error of one ends them all.

    Parameters
    ----------
    release : callable
        Called on a failure: lets go of whoever waits for the one that failed.

    Attributes
    ----------
    failed : threading.Event
        Set on a failure; a job has to look at it.
    error : BaseException or None
        The first one.
    """

    def __init__(self, release: Job) -> None:
        self.failed = threading.Event()
        self.error: BaseException | None = None
        self._release = release

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
        for thread in reversed(threads):
            try:
                thread.join()
            except KeyboardInterrupt:
                interrupt()
                thread.join()

    def _guard(self, job: Job) -> None:
        try:
            job()
        except BaseException as error:
            self.error = self.error or error
            self.failed.set()
            self._release()
