"""What the terminal shows while a session runs."""

import dataclasses
import io
import logging
import threading
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from drivers.source import SourceState
from streamer.engine.answers import Answer, Estimate
from streamer.engine.latency import Percentiles
from streamer.results.summary import Snapshot
from streamer.screen import screen as module
from streamer.screen.screen import REFRESHES_PER_S, render, screen

MODE = Answer("audible", "audible", {"audible": 0.93, "silent": 0.02, "whispered": 0.05}, 2.0)
SPEAKER = Answer("101", "no speech", {"101": 0.5, "102": 0.3, "103": 0.2}, 1.0)
RUNNING = Snapshot(
    utterance="101-001-0103",
    time_s=83.2,
    source_state=SourceState.STREAMING,
    levels_uv=(0.0, 12.0, 35.0, 80.0, 400.0, 5000.0),
    speech=0.87,
    estimate=Estimate(83.2, 3, "101-001-0103", 1.2, 0.87, MODE, SPEAKER),
    compute_ms=Percentiles(0.81, 1.0, 1.62, 3.0),
    latency_ms=Percentiles(12.1, 14.0, 18.0, 20.0),
    algorithmic_ms=41.8,
    total_ms=Percentiles(98.6, 101.0, 104.0, 110.0),
    playback={"fill_p50_ms": 38.4, "drift_ppm": 212.6},
    counters={"audio": {"longer_hops": 7, "shorter_hops": 812}},
    output="files only: no sound card",
    frames=8320,
    lost_samples=7,
    underruns=2,
    problems=("PortAudio is not installed: apt-get install libportaudio2",),
)


def shown(snapshot: Snapshot, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(render(snapshot, "replay  runs/today"))
    return capture.get()


def test_everything_a_listener_asks_for_is_shown() -> None:
    """Mode, speaker, levels, latency or losses could not be seen while they matter."""
    text = shown(RUNNING)
    for words in (
        "01:23.2",
        "101-001-0103",
        "streaming",
        "EMG 6",
        "5000 uV",
        "audible",
        "0.93",
        "no speech",
        "42 ms by design, 12.1 ms to the buffer, 99 ms in all: acceptable",
        "38 ms wait, clocks differ by +213 ppm, hops 7 longer, 812 shorter",
        "0.81 ms a frame, p99 1.62 ms",
        "frames 8320, lost samples 7, underruns 2",
        "files only: no sound card",
        "apt-get install libportaudio2",
    ):
        assert words in text


def test_a_channel_that_fails_is_seen() -> None:
    """A level of 0 uV could be a face at rest."""
    lines = shown(dataclasses.replace(RUNNING, failing=(2,))).splitlines()
    assert [line for line in lines if "fails" in line] == [
        line for line in lines if "EMG 3" in line
    ]


def test_screen_fits_a_terminal_of_eighty_columns() -> None:
    """Lines would wrap, and the screen would flicker."""
    lines = shown(RUNNING).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24


def test_session_that_has_not_begun_can_be_shown() -> None:
    """The screen would fail in the first tenth of a second."""
    assert "none yet" in shown(Snapshot())


def test_clocks_that_are_not_followed_or_not_known_are_left_out() -> None:
    """A drift of nothing would look like one that was measured."""
    fill_ms = {"fill_p50_ms": 38.4, "drift_ppm": None}
    plain = Snapshot(playback=fill_ms, counters={"audio": {}})
    assert "38 ms wait " in shown(plain)
    young = dataclasses.replace(RUNNING, playback=fill_ms)
    assert "38 ms wait, hops 7 longer, 812 shorter" in shown(young)
    assert " wait" not in shown(Snapshot(playback={"fill_p50_ms": None, "drift_ppm": None}))


def test_words_of_others_are_no_markup() -> None:
    """A stream or a problem called [x] would vanish or break the screen."""
    text = shown(Snapshot(utterance="[red]a", output="[/b]", problems=("[bold] lost",)))
    assert "[red]a" in text
    assert "[/b]" in text
    assert "! [bold] lost" in text


def test_what_the_report_tells_is_not_left_on_the_screen() -> None:
    """Whoever has no sound card would be told so twice, one below the other."""
    text = shown(dataclasses.replace(RUNNING, source_state=SourceState.DISCONNECTED))
    assert "ended" in text
    assert "apt-get" not in text
    before = Snapshot(problems=("no sound card",))
    assert "no sound card" in shown(before)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_screen_refreshes_seldom_and_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawing would take the interpreter from the audio callback, or spoil ``--json``."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    paces: list[float] = []

    class Paced(Live):
        def __init__(self, *args: Any, **words: Any) -> None:
            paces.append(words["refresh_per_second"])
            super().__init__(*args, **words)

    monkeypatch.setattr(module, "Live", Paced)
    asked = 0
    goes_on = threading.Event()

    def snapshot() -> Snapshot:
        nonlocal asked
        asked += 1
        if asked == 4:  # the first ones come as it begins
            goes_on.set()
        return RUNNING

    with screen(snapshot, title="replay"):
        assert goes_on.wait(60)
    assert "101-001-0103" in terminal.getvalue()
    assert capsys.readouterr().out == ""
    assert paces == [REFRESHES_PER_S]
    assert REFRESHES_PER_S <= 4


def test_a_problem_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk would be told above the screen, on it and below it."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    log = logging.getLogger("streamer.results.recorder")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as without pytest
    with screen(lambda: RUNNING, title="replay"):
        log.error("the disk is full")
    assert "the disk is full" not in terminal.getvalue()
    log.error("the disk is full")
    assert "the disk is full" in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file would fill with pictures of a screen."""
    with screen(lambda: RUNNING, title="replay"):
        pass
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("name", ["\x1b[2J[red]a", "\x9b31m[/]a", "a\nb[bold]"])
def test_names_from_outside_are_letters_and_nothing_else(name: str) -> None:
    """A stream's name could clear the terminal, or end the session as wrong markup."""
    answer = Answer(name, name, {name: 1.0}, 1.0)
    now = dataclasses.replace(
        RUNNING,
        utterance=name,
        provenance=name,
        output=name,
        problems=(name,),
        estimate=Estimate(0.0, 0, name, 0.0, 0.5, answer, answer),
    )
    text = shown(now)
    assert text.isprintable() or all(one.isprintable() or one == "\n" for one in text)
    assert text.count(name[-4:]) >= 5 or "bold" in name
