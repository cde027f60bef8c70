"""Outages as they are heard, and what a long run comes to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.bench import soak
from streamer.bench.figure import Figure
from streamer.bench.lag import Lag
from streamer.bench.outages import (
    Outage,
    find_outages,
    largest_edge,
    largest_steps,
    outage_figures,
)
from streamer.bench.process import Performance
from streamer.bench.soak import long_figures
from streamer.config import Config
from streamer.results.outputs import RunDirectory

RATE_HZ = 16000


@pytest.fixture
def heard() -> NDArray[np.float32]:
    """A second of voice, a second without, again and again."""
    audio = np.random.default_rng(0).uniform(0.1, 0.2, 5 * RATE_HZ).astype(np.float32)
    audio[RATE_HZ : 2 * RATE_HZ] = audio[3 * RATE_HZ : 4 * RATE_HZ] = 0
    silence = np.zeros(RATE_HZ, np.float32)
    return np.concatenate((silence, audio, silence))


def test_silence_between_voices_is_an_outage(heard: NDArray[np.float32]) -> None:
    """A voice that does not come back would pass for one that was never away."""
    assert find_outages(heard, RATE_HZ) == [
        Outage(2 * RATE_HZ, 3 * RATE_HZ),
        Outage(4 * RATE_HZ, 5 * RATE_HZ),
    ]
    assert find_outages(heard[: 4 * RATE_HZ], RATE_HZ) == [Outage(2 * RATE_HZ, 3 * RATE_HZ)]
    heard[int(2.5 * RATE_HZ)] = 0.1
    assert len(find_outages(heard, RATE_HZ)) == 3
    assert find_outages(np.zeros(100, np.float32), RATE_HZ) == []


def test_a_click_shows(heard: NDArray[np.float32]) -> None:
    """A cable that is pulled would crack in the listener's ear."""
    outages = find_outages(heard, RATE_HZ)
    at_edges, elsewhere = largest_steps(heard, outages, RATE_HZ)
    assert at_edges == pytest.approx(0.2, abs=0.01)  # cut off without a fade
    heard[3 * RATE_HZ + 200] = 0.9
    assert largest_steps(heard, outages, RATE_HZ)[0] > 0.6
    heard[3 * RATE_HZ + 200] = 0.1
    heard[6 * RATE_HZ - 3000] = 0.9
    assert largest_steps(heard, outages, RATE_HZ)[0] == pytest.approx(at_edges)
    assert largest_steps(heard, outages, RATE_HZ)[1] > 0.6 > elsewhere


def test_a_voice_that_is_cut_off_is_told_from_one_that_fades() -> None:
    """A noisy voice has steps of its own that hide the one of a hard cut."""
    audio = np.random.default_rng(1).uniform(-0.2, 0.2, 3 * RATE_HZ).astype(np.float32)
    outages = [Outage(RATE_HZ, 2 * RATE_HZ)]
    audio[RATE_HZ : 2 * RATE_HZ] = 0
    at_edges, elsewhere = largest_steps(audio, outages, RATE_HZ)
    assert at_edges <= elsewhere  # the step alone says nothing
    assert largest_edge(audio, outages, RATE_HZ) > 0.8
    fade = np.linspace(0, 1, 80, endpoint=False, dtype=np.float32)
    audio[2 * RATE_HZ :][:80] *= fade
    assert largest_edge(audio, outages, RATE_HZ) > 0.8  # the other edge
    audio[RATE_HZ - 80 : RATE_HZ] *= fade[::-1]
    assert largest_edge(audio, outages, RATE_HZ) < 0.3


def performance() -> Performance:
    """A session of 5 s from second 100 on, whose source was gone for its second and fourth."""
    counters = {
        "source": {"reconnects": 2, "lost_samples": 1200},
        "audio": {"starved": 2, "dropped_samples": 0},
        "ring": {"dropped_samples": 0},
    }
    epochs = [
        {"started_s": 100 + 1 / 600, "last_s": 101.0, "samples": 600, "lost_samples": 0},
        {"started_s": 101 + 1 / 600, "last_s": 103.0, "samples": 600, "lost_samples": 600},
        {"started_s": 103 + 1 / 600, "last_s": 105.0, "samples": 600, "lost_samples": 600},
    ]
    course = {
        "time_s": np.arange(100.5, 105.5, 0.5),
        "cpu_s": np.arange(10) * 0.05,
        "rss_mb": np.full(10, 200.0),
        "underruns": np.zeros(10),
    }
    summary: dict[str, Any] = {
        "counters": counters,
        "seconds": 5.0,
        "underruns": 0,
        "lost_samples": 0,
    }
    return Performance(RunDirectory(Path()), summary, {}, epochs, course, 300.0)


def missed(figures: list[Figure]) -> set[str]:
    return {figure.name for figure in figures if not figure.good}


def spoil(path: str, value: float) -> Callable[[Performance, NDArray[np.float32]], None]:
    """Change a counter."""
    first, second = path.split(".")

    def change(there: Performance, audio: NDArray[np.float32]) -> None:
        there.summary["counters"][first][second] = value

    return change


def leave_out_an_outage(there: Performance, audio: NDArray[np.float32]) -> None:
    audio[RATE_HZ : 2 * RATE_HZ] = audio[:RATE_HZ]


def stay_away(there: Performance, audio: NDArray[np.float32]) -> None:
    audio[: round(4.1 * RATE_HZ)][RATE_HZ:] = 0


def cut_hard(there: Performance, audio: NDArray[np.float32]) -> None:
    audio[2 * RATE_HZ : 2 * RATE_HZ + 80] = audio[: 2 * RATE_HZ : 400]


def come_late(there: Performance, audio: NDArray[np.float32]) -> None:
    there.epochs[-1]["last_s"] += 0.05


@pytest.mark.parametrize(
    ("change", "shows"),
    [
        (lambda *_: None, set()),
        (spoil("source.lost_samples", 1190), {"outage_miscounted"}),
        (spoil("source.reconnects", 3), {"outage_miscounted"}),
        (spoil("audio.starved", 1), {"outage_miscounted"}),
        (leave_out_an_outage, {"outages_not_heard"}),
        (stay_away, {"outages_not_heard", "outage_longest_s", "outage_edge_ratio"}),
        (cut_hard, {"outage_edge_ratio"}),
        (come_late, {"outage_time_off_ms"}),
        (lambda there, _: there.summary.update(underruns=1), {"outage_underruns"}),
    ],
)
def test_what_goes_wrong_with_an_outage_shows(
    change: Callable[[Performance, NDArray[np.float32]], None], shows: set[str]
) -> None:
    """A voice that stays away, clicks or is told wrongly would pass for one that came back."""
    there = performance()
    audio = np.random.default_rng(0).uniform(-0.2, 0.2, 5 * RATE_HZ).astype(np.float32)
    fade = np.linspace(0, 1, 160, endpoint=False, dtype=np.float32)
    for begin in (RATE_HZ, 3 * RATE_HZ):
        audio[begin : begin + RATE_HZ] = 0
        audio[begin - 160 : begin] *= fade[::-1]
        audio[begin + RATE_HZ : begin + RATE_HZ + 160] *= fade
    change(there, audio)
    assert missed(outage_figures(there, audio, RATE_HZ, 2, 600.0)) == shows
    assert missed(outage_figures(there, audio, RATE_HZ, 3, 600.0)) == shows | {"outages"}


@pytest.mark.parametrize(
    ("change", "shows"),
    [
        (lambda *_: None, set()),
        (lambda there: there.summary.update(underruns=2), {"underruns"}),
        (lambda there: there.summary.update(lost_samples=6), {"lost_samples"}),
        (
            lambda there: there.summary["counters"]["ring"].update(dropped_samples=6),
            {"lost_samples"},
        ),
        (
            lambda there: there.summary["counters"]["audio"].update(dropped_samples=6),
            {"dropped_samples"},
        ),
        (
            lambda there: there.course["rss_mb"].__setitem__(slice(8, None), 215.0),
            {"rss_growth_mb"},
        ),
    ],
)
def test_what_changes_over_a_long_run_shows(
    change: Callable[[Performance], None], shows: set[str]
) -> None:
    """A voice that is lost, breaks off or needs ever more memory would be called a good one."""
    there = performance()
    change(there)
    lag = Lag(60.0, 0.9, {}, np.empty(0), np.empty(0))
    assert missed(long_figures(there, {"start": lag, "end": lag})) == shows


def test_a_voice_that_falls_behind_shows() -> None:
    """After an hour nobody could speak with it any more."""
    start, end = (Lag(lag_ms, 0.9, {}, np.empty(0), np.empty(0)) for lag_ms in (60.0, 66.0))
    assert missed(long_figures(performance(), {"start": start, "end": end})) == {"lag_change_ms"}


def test_an_edge_that_nobody_hears_is_no_click() -> None:
    """A voice that is soft when the cable goes would fail the bench, or divide by nothing."""
    audio = np.zeros(3 * 16000, np.float32)
    outage = Outage(16000, 32000)
    audio[15990:16000] = 0.0005
    assert largest_edge(audio, [outage], 16000) == 0.0
    audio[15990:16000] = 0.002  # nothing but the edge itself is heard
    assert largest_edge(audio, [outage], 16000) == pytest.approx(2.0)


def test_the_killed_session_ends_half_way_between_two_outages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage at the very end has no return, and what it lost is in no chunk: miscounted."""
    seen: dict[str, Any] = {}

    class Enough(Exception):
        pass

    class Card:
        environment = None

        def recorded(self) -> Any:
            return nullcontext()

    @contextmanager
    def emulated(profile: object, faults: list[str]) -> Iterator[Path]:
        (seen["fault"],) = faults
        yield tmp_path / "port"

    def perform(config: Config, *_: object) -> None:
        seen["seconds"] = config.session.duration_s
        raise Enough

    monkeypatch.setattr(soak, "emulated", emulated)
    monkeypatch.setattr(soak, "perform", perform)
    monkeypatch.setattr(soak, "_SETTLE_S", 0.0)
    with pytest.raises(Enough):
        soak._killed(Config(), tmp_path, Card(), 3, lambda *_: None)  # type: ignore[arg-type]
    every_s, gone_s = map(float, seen["fault"].removeprefix("unplug=").split(":"))
    outages, into_s = divmod(seen["seconds"], every_s)
    assert outages == 3
    assert into_s == pytest.approx((gone_s + every_s) / 2)
