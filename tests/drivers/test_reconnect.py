"""Stalls and attempts to come back, on a stepped clock."""

import pytest

from drivers.reconnect import STALL_S, Backoff, StallTimer


def test_silence_is_a_stall_only_when_it_lasts():
    """A burst of an adapter must not look like a broken cable."""
    timer = StallTimer()
    timer.touch(10.0)
    assert not timer.stalled(9.999 + STALL_S)
    assert timer.stalled(10.001 + STALL_S)
    timer.touch(11.0)
    assert not timer.stalled(11.3)
    assert timer.since_s == 11.0


def test_attempts_get_rarer_but_never_too_rare():
    """A device that is back is found within two seconds, and one that is not costs nothing."""
    backoff = Backoff()
    now_s, attempts = 100.0, []
    while now_s < 110.0:
        now_s += backoff.left_s(now_s)
        assert backoff.due(now_s)
        attempts.append(now_s)
        backoff.failed(now_s)
        assert not backoff.due(now_s)
    waits = [b - a for a, b in zip(attempts, attempts[1:], strict=False)]
    assert waits[:4] == pytest.approx([0.05, 0.1, 0.2, 0.4])
    assert max(waits) == pytest.approx(0.5)
    assert len(attempts) < 30


def test_success_makes_the_next_attempt_soon():
    """The second pulled cable is as easy to mend as the first."""
    backoff = Backoff()
    for k in range(6):
        backoff.failed(float(k))
    backoff.reset()
    assert backoff.due(0.0)
    backoff.failed(7.0)
    assert backoff.left_s(7.0) == pytest.approx(0.05)
