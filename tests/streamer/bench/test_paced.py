"""The benches that run at the pace of a clock, as short as they can be."""

import numpy as np
import pytest

from drivers.source import Samples
from drivers.varioport.profile import load_profile
from streamer.bench.device import lost_bytes, replug
from streamer.bench.figure import Figure
from streamer.bench.schedule import schedule
from streamer.bench.ways import ways
from streamer.recordings import RecordingsSettings, Selection

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def packaged_uv() -> Samples:
    return np.concatenate([r.emg_uv for r in Selection(RecordingsSettings()).recordings])


def silent(_what: str, _done: int, _all: int) -> None: ...


def bad(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.good]


def test_what_a_bad_line_loses_is_known(packaged_uv: Samples) -> None:
    """Samples behind a loss would be at wrong times."""
    figures = lost_bytes(load_profile("framed"), packaged_uv, 2.0, silent)
    assert bad(figures) == []


def test_a_cable_may_be_pulled(packaged_uv: Samples) -> None:
    """A pulled cable would end the voice, or repeat what was said before."""
    figures = replug(load_profile("framed"), packaged_uv, 1, silent)
    assert bad(figures) == []


def test_every_way_in_gives_the_same_features() -> None:
    """A model would hear another person through another cable."""
    figures = ways([], silent)  # that of the devices is the tests above
    assert bad(figures) == []
    assert {"same_replay", "same_lsl", "same_file_csv"} <= {f.name for f in figures}


def test_replay_keeps_its_schedule() -> None:
    """A replay that drifts is no measure of anything."""
    first, *_ = schedule(1.0, silent)
    assert (first.name, first.most) == ("replay_off_ms", 2.0)
    assert first.value < 20  # this machine may be busy; the bench says how it is on an idle one
