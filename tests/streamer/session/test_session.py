"""A session from its source to its files, whatever ends it."""

import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError, StreamerError
from drivers.recordings.recording import Recording
from drivers.recordings.xdf import FORMAT
from drivers.replay import ReplaySource
from drivers.source import UTTERANCE, Channel, Chunk, Marker
from models.bundle import Bundle
from streamer.audio.settings import AudioSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session, SessionSettings

MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., NDArray[np.float32]]
MakeChunks = Callable[..., list[Chunk]]
ComputesLate = Callable[[list[Chunk]], Iterator[Chunk]]

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
    assert summary.realtime_factor > 0
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
    signal_uv[100] = np.nan
    signal_uv[120, 0] = np.nan
    signal_uv[200:230, 3] = 301.0
    chunks = [
        Chunk(signal_uv[:300], 0, 0, 0.5, 0.5),
        Chunk(signal_uv[500:], 0, 500, 2.0, 2.0, gap_before=200),
    ]
    summary = Session(script_source(chunks), toy_bundle, directory, realtime=False).run()
    assert summary.lost_samples == 201
    assert summary.counters["pipeline"]["invalid_samples"] == 1
    assert summary.counters["pipeline"]["saturated_samples"] == 30
    assert summary.counters["pipeline"]["missing_values"] == 1
    counts = [
        (one["label"], one["missing_values"], one["equal_values"]) for one in summary.channels
    ]
    assert [one for one in counts if any(one[1:])] == [("EMG1", 1, 0), ("EMG4", 0, 30)]
    assert [problem.split(": ")[0] for problem in summary.problems] == [
        "1 EMG samples without a number in any channel",
        "1 values of channel EMG1 are no numbers",
        "30 values of channel EMG4 are in runs of equal ones",
    ]
    assert len(read(summary.audio)) == 32000
    assert summary.utterances[0].utterance == "epoch-0000"
    assert summary.utterances[0].audio == summary.audio


def test_a_channel_that_fails_is_named_as_the_source_calls_it(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """Who has six electrodes and a line that one is bad must know which; the others go on."""
    signal_uv = emg(3.0)
    signal_uv[600:, 3] = np.nan
    labels = tuple(f"m. {k}" for k in range(6))
    source = script_source(chunks_of(signal_uv, (60,)), labels)
    session = Session(source, toy_bundle, directory, realtime=False)
    summary = session.run()
    assert summary.lost_samples == 0
    (bad,) = [one for one in summary.channels if one["failing_s"]]
    assert (bad["label"], bad["failures"], bad["failing"]) == ("m. 3", 1, True)
    assert bad["failing_s"] == pytest.approx(2.0, abs=0.03)
    (problem,) = [one for one in summary.problems if "m. 3" in one]
    assert "failed, for 2.0 s" in problem
    assert session.snapshot().failing == (3,)
    voice = read(summary.audio)
    assert np.abs(voice[-16000:]).max() > 0.1 * np.abs(voice).max()


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
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """Ctrl-C must cost nothing of what was said before."""
    stop = threading.Event()

    def interrupted() -> Any:
        for n, chunk in enumerate(chunks_of(emg(3.0)), start=1):
            if n == 120:
                stop.set()
            yield chunk

    source = script_source(interrupted())
    summary = Session(source, toy_bundle, directory, realtime=False, stop=stop).run()
    assert summary.ended == "stopped"
    assert summary.seconds == pytest.approx(1.2)
    assert len(read(summary.audio)) == 1.2 * 16000
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


def test_markers_of_a_live_session_are_shown_and_cut(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """Whoever presents sentences would have one voice of an hour, and no time in it."""
    chunks = chunks_of(emg(2.0), (60,))
    for index, label in ((1, "begin a"), (7, "end a"), (8, "S  1")):
        marker = Marker(chunks[index].first_index + 30, label)
        chunks[index] = replace(chunks[index], markers=(marker,))
    first = replace(chunks[0], first_index=0, markers=(Marker(0, UTTERANCE + "b\x1b"),))
    source = script_source([first, *chunks[1:]])
    summary = Session(source, toy_bundle, directory, realtime=False).run()
    assert [one.utterance for one in summary.utterances] == ["b\N{REPLACEMENT CHARACTER}"]
    assert [(one.label, one.time_s) for one in summary.markers] == [
        ("begin a", pytest.approx(0.15)),
        ("end a", pytest.approx(0.75)),
        ("S 1", pytest.approx(0.85)),
    ]
    (stretch,) = summary.stretches
    assert (stretch.utterance, stretch.seconds) == ("a", pytest.approx(0.6))
    np.testing.assert_array_equal(read(stretch.audio), read(summary.audio)[2400:12000])
    assert written(directory)["stretches"][0]["utterance"] == "a"


def test_markers_without_end_are_counted(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sender gone wild would fill the memory."""
    monkeypatch.setattr("streamer.results.observer.MOST_MARKERS", 5)
    (chunk,) = chunks_of(emg(0.3), (180,))
    chunk = replace(chunk, markers=tuple(Marker(n, "x") for n in range(8)))
    summary = Session(script_source([chunk]), toy_bundle, directory, realtime=False).run()
    assert len(summary.markers) == 5
    assert any(line.startswith("3 markers are not in the summary") for line in summary.problems)


def test_a_directory_that_was_moved_is_one_line(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """What came of the session would be hidden by a traceback."""

    def moving() -> Iterator[Chunk]:
        yield from chunks_of(emg(0.3), (60,))
        directory.path.rename(directory.path.with_name("moved"))

    session = Session(script_source(moving()), toy_bundle, directory, realtime=False)
    summary = session.run()
    assert summary.seconds == pytest.approx(0.3)
    (line,) = summary.failures
    assert "was moved or removed while the session ran" in line


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
    computes_late: ComputesLate,
) -> None:
    """A machine that is too slow must say so, and stay in time."""
    chunks = chunks_of(emg(20.0), (60,))
    summary = Session(
        script_source(computes_late(chunks)),
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


def test_what_comes_faster_than_life_is_not_too_late(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
    computes_late: ComputesLate,
) -> None:
    """A sender that paused and then sends all must be heard: computing catches up."""
    chunks = [
        replace(chunk, received_s=5 + 0.015 * k)
        for k, chunk in enumerate(chunks_of(emg(10.0), (60,)))
    ]
    summary = Session(
        script_source(computes_late(chunks)),
        toy_bundle,
        directory,
        settings=SessionSettings(ring_s=2.0),
        audio=SILENT,
    ).run()
    assert summary.counters["ring"]["dropped_samples"] == summary.lost_samples == 0
    assert len(read(summary.audio)) == 160_000


def test_a_short_session_is_judged_at_its_end(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    script_source: Any,
) -> None:
    """Volts that are taken for microvolts show in nothing else."""
    source = script_source(chunks_of(emg(1.5) * np.float32(1e5), (60,)))
    summary = Session(source, toy_bundle, directory, realtime=False).run()
    assert [problem for problem in summary.problems if "unit may be wrong" in problem]


@pytest.mark.realtime
def test_a_live_session_leaves_what_it_cost_and_where_the_voice_went(
    directory: RunDirectory, toy_bundle: Bundle, emg: MakeEmg
) -> None:
    """Figures of a loudspeaker that nobody heard would be believed; a program stay changed."""
    switch_s = sys.getswitchinterval()
    summary = Session(
        ReplaySource(recordings(emg, (0.9, 0.61, 0.8))),
        toy_bundle,
        directory,
        settings=SessionSettings(ring_s=60),
        audio=SILENT,
    ).run()
    assert sys.getswitchinterval() == switch_s
    assert summary.lost_samples == 0
    assert len(read(summary.audio)) == round(2.31 * 16000)
    latency = json.loads(directory.latency.read_text())
    assert (latency["output"], latency["card_ms"]) == ("files only", None)
    assert latency["total_ms"] is summary.latency_ms["total"] is None  # nobody heard anything
    for figure in ("wait", "compute", "latency", "measured", "loudspeaker", "fill"):
        assert latency[figure]["p50_ms"] <= latency[figure]["max_ms"]
    assert summary.playback["fill_p50_ms"] is not None
    assert summary.playback["drift_ppm"] is None
    assert {"longer_hops", "shorter_hops"} <= set(summary.counters["audio"])
    assert summary.counters["audio"]["played_samples"] > 0


_CHILD = """
import runpy, sys, time
from pathlib import Path
from streamer.audio.settings import AudioSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session, SessionSettings
toys = runpy.run_path(sys.argv[1])
def live():
    start_s = time.perf_counter()
    for chunk in toys["cut"](toys["make_emg"](600.0), name="u", start_s=start_s):
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


def heard_s(path: Path) -> float:
    """Seconds of voice that any program reads from a WAV; 0 while there is none."""
    if not path.exists() or path.stat().st_size < 44:
        return 0.0
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def recorded_s(path: Path) -> float:
    """Seconds of EMG that are in a recording; 0 while there are none."""
    try:
        (recording,) = FORMAT.read(path)
    except (StreamerError, ValueError):  # none is in it yet
        return 0.0
    return recording.duration_s


@pytest.mark.realtime
@pytest.mark.system
def test_a_kill_leaves_voice_estimates_and_recording(tmp_path: Path, emg: MakeEmg) -> None:
    """Not even kill -9 may cost more than the last moment."""
    root = Path(__file__).parents[3]
    run = tmp_path / "r"
    wavs = (run / "audio.wav", run / "utterances" / "u.wav")
    estimates = run / "estimates.jsonl"
    words = [sys.executable, "-c", _CHILD, str(Path(__file__).parents[1] / "conftest.py"), run]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen(words, cwd=root, env=environment) as child:
        try:
            # All of it has to get there while the session goes on.
            while not (
                estimates.exists()
                and len(estimates.read_text().splitlines()) >= 10
                and all(heard_s(wav) > 0.7 for wav in wavs)
                and recorded_s(run / "recording.xdf") > 0.7
            ):
                assert child.poll() is None
                time.sleep(0.05)
        finally:
            child.kill()
    for line in estimates.read_text().splitlines():
        json.loads(line)
    for path in wavs:
        with wave.open(str(path)) as file:
            assert file.getnframes() > 0.7 * 16000
            assert len(file.readframes(file.getnframes())) == 2 * file.getnframes()
        assert len(read(path)) >= 0.7 * 16000
    (recording,) = FORMAT.read(run / "recording.xdf")
    assert len(recording.emg_uv) > 0.7 * 600
    np.testing.assert_array_equal(recording.emg_uv, emg(600.0)[: len(recording.emg_uv)])
