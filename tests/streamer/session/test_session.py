"""A session from its source to its files, whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.recordings.recording import Recording
from drivers.recordings.xdf import FORMAT
from drivers.replay import ReplaySource
from drivers.source import Channel, Chunk
from models.bundle import Bundle
from streamer.audio.output import AudioSettings
from streamer.results.outputs import RunDirectory
from streamer.results.summary import Summary
from streamer.session import Session, SessionSettings

MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., NDArray[np.float32]]
MakeChunks = Callable[..., list[Chunk]]

SILENT = AudioSettings(enabled=False)


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run")


def recordings(emg: MakeEmg, seconds: tuple[float, ...]) -> list[Recording]:
    """Make audible utterances; their speech is noise as long as the EMG."""
    channels = tuple(Channel(f"EMG{n}") for n in range(1, 7))
    made = []
    for n, length_s in enumerate(seconds):
        noise = np.random.default_rng(n).normal(0, 0.05, round(length_s * 16000))
        made.append(
            Recording(
                f"u{n}",
                emg(length_s, seed=n),
                600.0,
                channels,
                audio=noise.astype(np.float32),
                audio_rate_hz=16000,
                mode="silent" if n == 1 else "audible",
            )
        )
    return made


def read(path: Path | str) -> NDArray[np.float64]:
    audio: NDArray[np.float64] = soundfile.read(path)[0]
    return audio


def written(directory: RunDirectory) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(directory.summary.read_text())
    return content


def test_a_series_leaves_all_its_files(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """What scripts and people read after a replay: voices, estimates, figures."""
    series = recordings(emg, (1.3, 1.0, 0.8))
    by_name = {recording.name: recording for recording in series}
    session = Session(
        ReplaySource(series, speed=None),
        toy_bundle,
        directory,
        realtime=False,
        recording_named=by_name.get,
    )
    summary = session.run()
    assert [u.utterance for u in summary.utterances] == ["u0", "u1", "u2"]
    assert [u.seconds for u in summary.utterances] == pytest.approx([1.3, 1.0, 0.8])
    assert [u.start_s for u in summary.utterances] == pytest.approx([0, 1.3, 2.3])
    assert [u.mcd_db is None for u in summary.utterances] == [False, True, False]
    mcds_db = [u.mcd_db for u in summary.utterances if u.mcd_db is not None]
    assert summary.mcd_db == pytest.approx(np.mean(mcds_db))
    assert summary.frames == sum(u.frames for u in summary.utterances)
    assert (summary.ended, summary.error, summary.problems) == ("source", None, [])
    assert (summary.lost_samples, summary.underruns) == (0, 0)
    assert summary.realtime_factor > 1
    assert summary.latency_ms["algorithmic"] == pytest.approx(36.5, abs=0.01)
    whole = read(summary.audio)
    assert len(whole) == 3.1 * 16000
    parts = [read(u.audio) for u in summary.utterances]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    lines = [json.loads(line) for line in directory.estimates.read_text().splitlines()]
    assert len(lines) == 13 + 10 + 8
    assert {line["utterance"] for line in lines} == {"u0", "u1", "u2"}
    assert written(directory) == json.loads(json.dumps(summary.as_dict()))
    assert json.loads(directory.latency.read_text())["frames"] == summary.frames
    times_s, low, high = session.envelope.extremes()
    assert times_s[-1] == pytest.approx(3.08)
    assert not np.isnan(low).any()
    assert (high >= low).all()


def test_the_same_emg_gives_the_same_voice_live(
    tmp_path: Path, toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks, script_source: Any
) -> None:
    """A figure measured offline must hold for what is heard live."""
    voices = []
    for name, sizes, realtime in (("live", (6,), True), ("max", (50,), False)):
        directory = RunDirectory.create(tmp_path / name)
        source = script_source(chunks_of(emg(1.0), sizes))
        Session(
            source,
            toy_bundle,
            directory,
            settings=SessionSettings(ring_s=10),
            audio=SILENT,
            realtime=realtime,
            clock=None,
        ).run()
        voices.append(read(directory.audio))
    np.testing.assert_allclose(voices[0], voices[1], atol=2 / 32768)


@pytest.mark.parametrize("on", [True, False])
def test_the_clock_of_the_card_is_followed_where_that_is_wanted(
    tmp_path: Path,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
    on: bool,
) -> None:
    """Who compares voices sample by sample must be able to have them uncorrected."""
    settings = AudioSettings(enabled=False, drift_control=on)
    counted = {}
    for realtime in (True, False):
        directory = RunDirectory.create(tmp_path / str(realtime))
        source = script_source(chunks_of(emg(0.5)))
        session = Session(source, toy_bundle, directory, audio=settings, realtime=realtime)
        counted[realtime] = "longer_hops" in session.run().counters["audio"]
    assert counted == {True: on, False: False}


def test_losses_are_told(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg, script_source: Any
) -> None:
    """A user must learn of every sample that the voice had to do without."""
    signal_uv = emg(2.0)
    signal_uv[100, 0] = np.nan
    signal_uv[200:230, 3] = 1081.0
    chunks = [
        Chunk(signal_uv[:300], 0, 0, 0.5, 0.5),
        Chunk(signal_uv[500:], 0, 500, 2.0, 2.0, gap_before=200),
    ]
    summary = Session(script_source(chunks), toy_bundle, directory, realtime=False).run()
    assert summary.lost_samples == 201
    assert summary.counters["pipeline"]["invalid_samples"] == 1
    assert summary.counters["pipeline"]["saturated_samples"] == 30
    assert [problem.split()[0] for problem in summary.problems] == ["1", "30"]
    assert len(read(summary.audio)) == 32000
    assert summary.utterances[0].utterance == "epoch-0000"
    assert summary.utterances[0].audio == summary.audio


def test_a_duration_ends_it_to_the_sample(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """`live --duration 1` must leave one second."""
    summary = Session(
        ReplaySource(recordings(emg, (1.0,)), speed=None, loop=True, chunk_s=0.07),
        toy_bundle,
        directory,
        settings=SessionSettings(duration_s=2.5),
        realtime=False,
    ).run()
    assert summary.ended == "duration"
    assert summary.seconds == pytest.approx(2.5)
    assert [Path(u.audio).name for u in summary.utterances] == ["u0.wav", "u0-2.wav", "u0-3.wav"]


def test_a_duration_ends_it_without_a_single_sample(
    directory: RunDirectory, toy_bundle: Bundle, script_source: Any
) -> None:
    """A device that sends nothing must not keep the session for ever."""
    clock = VirtualClock()

    def nothing() -> Any:
        while True:
            clock.advance(0.1)
            yield None

    summary = Session(
        script_source(nothing()),
        toy_bundle,
        directory,
        settings=SessionSettings(duration_s=5),
        audio=SILENT,
        clock=_Mixed(clock),
    ).run()
    assert (summary.ended, summary.frames, summary.utterances) == ("duration", 0, [])
    assert summary.latency_ms["compute_p50"] is None
    assert len(read(summary.audio)) == 0


class _Mixed:
    """A virtual clock whose sleepers sleep really, for the paced output."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now_s(self) -> float:
        return self._clock.now_s()

    def sleep_until(self, time_s: float) -> None:
        time.sleep(0.001)


def test_a_stop_in_the_middle_leaves_everything_readable(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """Ctrl-C must cost nothing of what was said before."""
    stop = threading.Event()
    source = ReplaySource(recordings(emg, (1.0,)), speed=None, loop=True)
    session = Session(source, toy_bundle, directory, realtime=False, stop=stop)
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    summary = session.run()
    assert summary.ended == "stopped"
    assert summary.seconds > 0.5
    assert len(read(summary.audio)) == round(summary.seconds * 16000)
    assert written(directory)["ended"] == "stopped"


def test_a_failing_source_leaves_what_came_before(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """A cable that breaks must be an error, and must not take the recording with it."""
    error = SourceError("device", value="gone")
    source = script_source([*chunks_of(emg(1.0)), error])
    with pytest.raises(SourceError) as caught:
        Session(source, toy_bundle, directory, realtime=False).run()
    assert caught.value is error
    assert source.closed
    assert len(read(directory.audio)) == 16000
    summary = written(directory)
    assert (summary["ended"], summary["error"]) == ("error", "device: got gone")
    assert summary["utterances"][0]["seconds"] == 1.0


def test_a_failure_of_our_own_does_not_hang(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    script_source: Any,
    chunks_of: MakeChunks,
) -> None:
    """An error in the compute thread must end the reader too, in either mode."""

    def endless() -> Any:
        chunks = chunks_of(emg(1.0))
        yield from chunks
        yield from chunks  # goes back in time
        while True:
            yield None

    source = script_source(endless())
    with pytest.raises(SourceError, match="first sample of a chunk"):
        Session(source, toy_bundle, directory, realtime=False).run()
    assert source.closed
    assert written(directory)["ended"] == "error"
    assert not [t for t in threading.enumerate() if t.name in ("reader", "compute", "background")]


def test_a_signal_that_does_not_fit_is_refused_before_anything_is_written(
    directory: RunDirectory, toy_bundle: Bundle, script_source: Any
) -> None:
    """Five channels into a model of six must be one line, not noise."""
    source = script_source([], labels=("a", "b", "c", "d", "e"))
    with pytest.raises(SignalMismatchError, match="5 channels.*6 channels"):
        Session(source, toy_bundle, directory, realtime=False).run()
    assert source.closed
    assert list(directory.path.iterdir()) == []


def test_a_wrong_recording_costs_its_figure_only(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """A mix-up of recordings is told, and the run is kept."""
    series = recordings(emg, (1.0,))
    (longer,) = recordings(emg, (2.0,))
    summary = Session(
        ReplaySource(series, speed=None),
        toy_bundle,
        directory,
        realtime=False,
        recording_named=lambda name: longer,
    ).run()
    assert summary.mcd_db is None
    assert len(summary.problems) == 1
    assert "u0" in summary.problems[0]


def test_a_full_disk_at_the_end_is_a_message(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The result must still reach the terminal."""

    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    summary = Session(
        ReplaySource(recordings(emg, (0.5,)), speed=None), toy_bundle, directory, realtime=False
    ).run()
    assert len(summary.problems) == 2
    assert "No space left on device" in summary.problems[-1]


def test_a_snapshot_can_be_taken_at_any_time(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """The screen looks whenever it likes: before, during and after."""
    series = recordings(emg, (2.0,))
    session = Session(ReplaySource(series, speed=None), toy_bundle, directory, realtime=False)
    before = session.snapshot()
    assert (before.frames, before.utterance) == (0, "")
    seen = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(session.snapshot())

    looker = threading.Thread(target=look)
    looker.start()
    session.run()
    done.set()
    looker.join()
    last = session.snapshot()
    assert last.utterance == "u0"
    assert last.time_s == pytest.approx(2.0)
    assert last.estimate is not None
    assert last.compute_ms is not None
    assert last.latency_ms is None
    assert last.levels_uv == pytest.approx((50,) * 6, rel=0.5)
    assert all(a.frames <= b.frames for a, b in zip(seen, seen[1:], strict=False))


def test_a_live_ring_that_overflows_drops_and_goes_on(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """A machine that is too slow must say so, and stay in time."""
    chunks = chunks_of(emg(20.0), (60,))
    summary = Session(
        script_source(chunks),
        toy_bundle,
        directory,
        settings=SessionSettings(ring_s=0.2),
        audio=SILENT,
    ).run()
    dropped = summary.counters["ring"]["dropped_samples"]
    assert dropped > 0
    assert summary.lost_samples == dropped
    assert summary.seconds == pytest.approx(20)
    assert len(read(summary.audio)) == 320_000
    assert any("faster than they could be computed" in problem for problem in summary.problems)


def run_live(directory: RunDirectory, bundle: Bundle, series: list[Recording]) -> Summary:
    # Other work on the machine must not fail the test: it is about our own timing.
    audio = AudioSettings(enabled=False, buffer_ms=120, limit_ms=500)
    return Session(ReplaySource(series), bundle, directory, audio=audio).run()


@pytest.mark.realtime
@pytest.mark.parametrize("lead_ms", [0.0, 60.0])
def test_a_replay_at_the_pace_of_life_has_no_hole(
    directory: RunDirectory, bundle_with: MakeBundle, emg: MakeEmg, lead_ms: float
) -> None:
    """Through the change of utterances too, the loudspeaker must never run dry."""
    switch_s = sys.getswitchinterval()
    summary = run_live(directory, bundle_with(lead_ms=lead_ms), recordings(emg, (0.9, 0.61, 0.8)))
    assert (summary.underruns, summary.counters["audio"]["starved"]) == (0, 0)
    assert (summary.lost_samples, summary.counters["audio"]["dropped_samples"]) == (0, 0)
    assert summary.realtime_factor == pytest.approx(1, abs=0.03)
    assert sys.getswitchinterval() == switch_s
    latency = json.loads(directory.latency.read_text())
    assert 0 < latency["latency"]["p50_ms"] < 20
    assert (latency["output"], latency["card_ms"]) == ("files only", None)
    assert latency["total_ms"] is summary.latency_ms["total"] is None  # nobody heard anything
    # Of what waits, the reserve of 120 ms is most.
    assert 100 < latency["measured"]["p50_ms"] < 180
    assert summary.playback["fill_p50_ms"] == pytest.approx(125, abs=20)
    assert summary.playback["drift_ppm"] is None
    assert {"longer_hops", "shorter_hops"} <= set(summary.counters["audio"])


@pytest.mark.realtime
def test_a_stall_of_the_source_is_no_underrun_of_ours(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg, script_source: Any
) -> None:
    """Half a second without EMG is the radio's fault, and must not delay the voice for good."""
    signal_uv = emg(2.0)

    def stalling() -> Any:
        start_s = time.perf_counter()
        for first in range(0, 1200, 6):
            if 450 <= first < 750:
                continue
            time_s = start_s + (first + 6) / 600
            time.sleep(max(0.0, time_s - time.perf_counter()))
            part = signal_uv[first : first + 6]
            gap = 300 if first == 750 else 0
            yield Chunk(part, 0, first, time_s, time.perf_counter(), gap_before=gap)

    settings = AudioSettings(enabled=False, buffer_ms=100)
    summary = Session(script_source(stalling()), toy_bundle, directory, audio=settings).run()
    audio = summary.counters["audio"]
    assert (audio["underruns"], audio["starved"]) == (0, 1)
    assert audio["skipped_samples"] > 0.3 * 16000
    assert summary.lost_samples == 300
    assert len(read(summary.audio)) == 32000


_CHILD = """
import runpy, sys, time
from pathlib import Path
from streamer.audio.output import AudioSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session, SessionSettings
toys = runpy.run_path(sys.argv[1])
def live():
    start_s = time.perf_counter()
    for chunk in toys["cut"](toys["make_emg"](60.0), name="u", start_s=start_s):
        time.sleep(max(0.0, chunk.time_s - time.perf_counter()))
        yield chunk
Session(
    toys["ScriptSource"](live()),
    toys["make_bundle"](),
    RunDirectory.create(Path(sys.argv[2])),
    settings=SessionSettings(record=True),
    audio=AudioSettings(enabled=False),
).run()
"""


@pytest.mark.realtime
def test_a_kill_leaves_voice_estimates_and_recording(tmp_path: Path) -> None:
    """Not even kill -9 may cost more than the last moment."""
    root = Path(__file__).parents[3]
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CHILD,
            str(Path(__file__).parents[1] / "conftest.py"),
            tmp_path / "r",
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    estimates = tmp_path / "r" / "estimates.jsonl"
    until_s = time.perf_counter() + 60
    while time.perf_counter() < until_s and child.poll() is None:
        if estimates.exists() and len(estimates.read_text().splitlines()) >= 10:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    lines = [json.loads(line) for line in estimates.read_text().splitlines()]
    assert len(lines) >= 10
    for path in (tmp_path / "r" / "audio.wav", tmp_path / "r" / "utterances" / "u.wav"):
        with wave.open(str(path)) as file:
            assert file.getnframes() > 0.7 * 16000
            assert len(file.readframes(file.getnframes())) == 2 * file.getnframes()
        assert len(read(path)) >= 0.7 * 16000
    (recording,) = FORMAT.read(tmp_path / "r" / "recording.xdf")
    assert len(recording.emg_uv) >= len(lines) * 60
