"""Background jobs: in order, none forgotten, none in the way."""

import threading
from functools import partial

from streamer.engine.background import Background


def nothing() -> None:
    pass


def test_jobs_are_done_in_order_and_flushed() -> None:
    """The voice must be written in its order, and be readable soon after."""
    done: list[object] = []
    background = Background(lambda: done.append("flush"), inline=False)
    background.start()
    for n in range(5):
        background.submit(partial(done.append, n))
    background.close()
    assert [item for item in done if item != "flush"] == [0, 1, 2, 3, 4]
    assert done[-1] == "flush"


def test_live_a_slow_disk_drops_and_counts_what_may_be_dropped() -> None:
    """The voice must not wait for a disk, and a hole in a file must be known."""
    done: list[int] = []
    background = Background(nothing, inline=False, capacity=3)
    for n in range(5):
        background.submit(partial(done.append, n), may_drop=True)
    background.submit(partial(done.append, 99))
    background.start()
    background.close()
    assert done == [0, 1, 2, 99]
    assert background.dropped == 2


def test_offline_a_job_is_done_before_the_next_is_made() -> None:
    """At speed max nothing may be missing from the files, and nothing may pile up."""
    done: list[object] = []
    background = Background(lambda: done.append("flush"), inline=True, capacity=1)
    background.start()
    for n in range(50):
        background.submit(partial(done.append, n), may_drop=True)
        assert n in done
    background.close()
    assert done[-1] == "flush"
    assert background.dropped == 0


def test_an_error_is_kept_and_the_other_jobs_are_done() -> None:
    """One broken job must not cost the rest of the recording, nor go unseen."""
    done: list[int] = []
    background = Background(nothing, inline=False)
    background.start()
    background.submit(lambda: 1 / 0)  # type: ignore[arg-type]
    background.submit(partial(done.append, 1))
    background.close()
    assert done == [1]
    assert isinstance(background.error, ZeroDivisionError)


def test_submitting_does_not_wait_for_a_job() -> None:
    """The compute thread must go on while the disk is busy."""
    busy = threading.Event()
    went_on: list[bool] = []
    background = Background(nothing, inline=False)
    background.start()
    background.submit(lambda: went_on.append(busy.wait(60)))
    background.submit(nothing)
    busy.set()
    background.close()
    assert went_on == [True]
