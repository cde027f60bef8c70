"""The benches of devices and replays; how fast this machine is decides nothing here."""

import math

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.source import Samples
from drivers.varioport.profile import load_profile
from streamer.bench.device import lost_bytes, replug
from streamer.bench.figure import Figure
from streamer.bench.schedule import schedule
from streamer.bench.ways import ways
from streamer.recordings import RecordingsSettings, Selection


@pytest.fixture(scope="module")
def packaged_uv() -> Samples:
    return np.concatenate([r.emg_uv for r in Selection(RecordingsSettings()).recordings])


def silent(_what: str, _done: int, _all: int) -> None: ...


def bad(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.good]


@pytest.mark.realtime
@pytest.mark.system
def test_what_a_bad_line_loses_is_known(packaged_uv: Samples) -> None:
    """Samples behind a loss would be at wrong times."""
    wrong, missing = lost_bytes(load_profile("framed"), packaged_uv, 2.0, silent)
    assert (wrong.name, wrong.value) == ("lost_bytes_wrong", 0)
    assert (missing.name, missing.unit) == ("lost_bytes_missing_percent", "%")


@pytest.mark.realtime
@pytest.mark.system
def test_a_cable_may_be_pulled(packaged_uv: Samples) -> None:
    """A pulled cable would end the voice, or repeat what was said before.

    How long the device was away, in seconds and in samples, is known from the times of its bytes:
    on a busy machine no better than they are. On a stepped clock it is exact, see `test_source`.
    """
    figures = replug(load_profile("framed"), packaged_uv, 1, silent)
    timed = {"replug_resumed_s", "replug_miscounted"}
    assert [figure.name for figure in bad(figures) if figure.name not in timed] == []
    assert {figure.name for figure in figures} == {
        *("replug_missed", "replug_resumed_s", "replug_wrong", "replug_miscounted")
    }


@pytest.mark.realtime
@pytest.mark.system
def test_every_way_in_gives_the_same_features() -> None:
    """A model would hear another person through another cable."""
    for _ in range(10):
        figures = ways([], silent)  # that of the devices is the tests above
        # A sender that got no core for a while leaves a gap, and nothing is compared beyond it.
        if [figure.name for figure in bad(figures) if figure.value == math.inf] != ["same_lsl"]:
            break
    assert bad(figures) == []
    assert {"same_replay", "same_lsl", "same_file_csv"} <= {f.name for f in figures}


class LateClock(VirtualClock):
    """Wakes sleepers later than they asked for."""

    def __init__(self, late_s: float) -> None:
        super().__init__(50.0)
        self._late_s = late_s

    def sleep_until(self, time_s: float) -> None:
        super().sleep_until(max(time_s + self._late_s, self.now_s() + 1e-4))


@pytest.mark.parametrize(("late_ms", "good"), [(0.0, True), (1.5, True), (4.0, False)])
def test_a_replay_that_is_off_its_schedule_shows(late_ms: float, good: bool) -> None:
    """A replay that drifts is no measure of anything."""
    first, *others = schedule(12.0, silent, LateClock(late_ms / 1000))
    assert (first.name, first.most) == ("replay_off_ms", 2.0)
    assert first.good is good
    assert [figure.value for figure in (first, *others)] == pytest.approx([late_ms] * 3, abs=0.01)
