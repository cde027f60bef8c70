"""Recordings while live: complete, by reference, and never in the voice's way."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf

from drivers.clock import VirtualClock
from drivers.errors import RecordingError, SourceError, StreamerError
from drivers.recordings.registry import read_recordings
from drivers.recordings.xdf import FORMAT
from drivers.source import Marker, Provenance, SourceInfo, SourceState
from streamer.engine.answers import Answer, Estimate
from streamer.engine.closing import Closing
from streamer.engine.columns import EstimateColumns
from streamer.outlets import OutletSettings
from streamer.results import live_recording as module
from streamer.results import sink
from streamer.results.live_recording import LiveRecording
from streamer.results.recording import record


@pytest.fixture
def info(script_source: Any) -> SourceInfo:
    source_info: SourceInfo = script_source([]).info
    return source_info


def streams(path: Path) -> dict[str, Any]:
    found, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in found}


class FakeXdf:
    """Takes everything until it is full; may be slow."""

    full_after = 10**9
    made: "FakeXdf"

    def __init__(self, path: Path, info: SourceInfo, *, started_s: float) -> None:
        FakeXdf.made = self
        self.go = threading.Event()
        self.go.set()
        self.taken: list[Any] = []
        self.closed = False

    def take(self, chunk: Any, clock_offset_s: float) -> None:
        self._write(chunk)

    def audio(self, samples: Any, time_s: float, *, rate_hz: float) -> None:
        self._write(samples)

    def estimates(self, row: Any, labels: Any, time_s: float) -> None:
        self._write(row)

    def event(self, label: str, time_s: float) -> None:
        self._write((label, time_s))

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def _write(self, what: Any) -> None:
        self.go.wait(100)
        if len(self.taken) >= self.full_after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.taken.append(what)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeXdf]:
    monkeypatch.setattr(module, "SourceXdf", FakeXdf)
    monkeypatch.setattr(FakeXdf, "full_after", 10**9)
    return FakeXdf


def test_everything_is_in_the_file_at_its_time(
    tmp_path: Path, info: SourceInfo, emg: Any, chunks_of: Any
) -> None:
    """A recording is worth what can be said of it a year later."""
    answer = Answer("loud", "unsure", {"soft": 0.4, "loud": 0.6}, 1.0)
    columns = EstimateColumns((), ("soft", "loud"))
    file = LiveRecording(tmp_path / "r.xdf", info, columns=columns, started_s=100.0)
    signal = emg(0.5)
    for chunk in chunks_of(signal, name="u", start_s=100.0):
        file.take(chunk, 0.0)
    voice = np.linspace(-0.5, 0.5, 160, dtype=np.float32)
    file.audio(voice, 100.25)
    file.estimate(Estimate(0.1, 0, "u", 0.1, 0.9, None, None), 100.1)
    file.estimate(Estimate(0.2, 0, "u", 0.2, 0.8, None, answer), 100.2)
    file.event("source stalled", 100.3)
    file.close()
    found = streams(tmp_path / "r.xdf")
    np.testing.assert_array_equal(found["script"]["time_series"], signal)
    np.testing.assert_allclose(
        found["script"]["time_stamps"], 100 + np.arange(1, 301) / 600, atol=1e-6
    )
    assert found["script markers"]["time_series"] == [["utterance u"]]
    np.testing.assert_allclose(found["script voice"]["time_stamps"][0], 100.25)
    np.testing.assert_allclose(
        found["script voice"]["time_series"][:, 0] / 32767, voice, atol=1 / 32767
    )
    np.testing.assert_array_equal(
        found["script estimates"]["time_series"], [[0.9, np.nan, np.nan], [0.8, 0.4, 0.6]]
    )
    assert found["script events"]["time_series"] == [["source stalled"]]
    (again,) = FORMAT.read(tmp_path / "r.xdf")
    np.testing.assert_array_equal(again.emg_uv, signal)
    assert file.counters()["samples"] == 300
    assert file.problems() == []


def test_an_existing_file_is_not_touched(tmp_path: Path, info: SourceInfo) -> None:
    """Yesterday's recording cannot be made again."""
    path = tmp_path / "r.xdf"
    path.write_bytes(b"yesterday")
    with pytest.raises(RecordingError, match="exists"):
        LiveRecording(path, info)
    assert path.read_bytes() == b"yesterday"


def test_who_hands_over_never_waits_and_nothing_is_copied(
    tmp_path: Path, fake: type[FakeXdf], info: SourceInfo, emg: Any, chunks_of: Any
) -> None:
    """A disk that is asleep must not be heard."""
    file = LiveRecording(tmp_path / "r.xdf", info)
    fake.made.go.clear()
    chunks = chunks_of(emg(1.0))
    for chunk in chunks:
        file.take(chunk, 0.0)
    assert fake.made.taken == []
    fake.made.go.set()
    file.close()
    assert all(a is b for a, b in zip(fake.made.taken, chunks, strict=True))
    assert fake.made.closed


def test_a_slow_disk_loses_and_counts_what_is_beyond_the_bound(
    tmp_path: Path, fake: type[FakeXdf], info: SourceInfo, emg: Any, chunks_of: Any
) -> None:
    """Memory is bounded, and a hole in a recording must be known."""
    file = LiveRecording(tmp_path / "r.xdf", info, held_s=0.5)
    fake.made.go.clear()
    chunks = chunks_of(emg(1.0))
    chunks[80] = replace(chunks[80], markers=(Marker(483, "word"),))
    for chunk in chunks:
        file.take(chunk, 0.0)
    file.audio(np.zeros(100, np.float32), 1.0)
    fake.made.go.set()
    file.close()
    assert fake.made.taken[:50] == chunks[:50]
    (rest,) = fake.made.taken[50:]
    assert rest == ("word", pytest.approx(484 / 600))
    assert file.counters() == {
        "samples": 300,
        "left_out_samples": 300,
        "unwritten_samples": 0,
        "left_out_results": 1,
    }
    assert file.problems() == [
        "300 EMG samples are missing from r.xdf: the disk is slow",
        "1 stretches of voice or estimates are missing from r.xdf: the disk is slow",
    ]


@pytest.mark.parametrize("realtime", [True, False])
def test_a_full_disk_is_one_message(
    tmp_path: Path,
    fake: type[FakeXdf],
    info: SourceInfo,
    emg: Any,
    chunks_of: Any,
    monkeypatch: pytest.MonkeyPatch,
    realtime: bool,
) -> None:
    """The session goes on; a screen full of the same error would hide it."""
    monkeypatch.setattr(FakeXdf, "full_after", 60)
    told: list[str] = []
    file = LiveRecording(tmp_path / "r.xdf", info, realtime=realtime, tell=told.append)
    for chunk in chunks_of(emg(1.0)):
        file.take(chunk, 0.0)
    file.close()
    file.close()
    line = "r.xdf ends after 0.6 s of EMG: No space left on device; what it has can be read"
    assert file.problems() == [line]
    assert told == [line]
    assert (file.counters()["samples"], file.counters()["unwritten_samples"]) == (360, 240)
    assert fake.made.closed


@pytest.mark.system
def test_a_really_full_disk_leaves_what_was_recorded(
    small_disk: Path, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """Everything up to the last moment must be readable, by others' software too."""
    signal = emg(10.0)
    source = script_source(chunks_of(signal))
    with pytest.raises(StreamerError, match=r"r\.xdf ends after .*No space left.*new file"):
        record(source, small_disk / "r.xdf", clock=VirtualClock())
    assert source.closed
    (found,) = (s for name, s in streams(small_disk / "r.xdf").items() if name == "script")
    kept = len(found["time_series"])
    assert 1000 < kept < 6000
    np.testing.assert_array_equal(found["time_series"], signal[:kept])
    (again,) = FORMAT.read(small_disk / "r.xdf")
    np.testing.assert_array_equal(again.emg_uv, signal[:kept])


def test_a_source_is_recorded_without_models(
    tmp_path: Path, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """Losses and returns of a day's recording are in the file and in the result."""
    signal = emg(2.0)
    first = chunks_of(signal[:600])
    back = [
        replace(chunk, first_index=chunk.first_index + 300, gap_before=300 if n == 0 else 0)
        for n, chunk in enumerate(chunks_of(signal[900:], epoch=1, start_s=1.5))
    ]
    source = script_source([])

    def script() -> Iterator[Any]:
        yield from first
        source.health.state = SourceState.STALLED
        yield None
        source.health.state = SourceState.STREAMING
        source.health.reconnects, source.health.gaps = 1, 1
        source.health.lost_samples = 300
        yield from back

    source._script = script()
    seen: list[tuple[float, SourceState]] = []
    result = record(
        source,
        tmp_path / "r.xdf",
        progress=lambda seconds, state: seen.append((seconds, state)),
        realtime=False,
    )
    assert (result.ended, result.samples, result.seconds) == ("source", 900, 1.5)
    assert (result.lost_samples, result.gaps, result.reconnects, result.stalls) == (300, 1, 1, 1)
    assert result.problems == [
        "the source was lost once and came back",
        "the source lost 300 of 1200 samples (25 %) in 1 gap",
    ]
    assert result.as_dict()["path"] == str(tmp_path / "r.xdf")
    assert (1.0, SourceState.STALLED) in [(round(s, 6), state) for s, state in seen]
    found = streams(tmp_path / "r.xdf")
    np.testing.assert_array_equal(
        found["script"]["time_series"], np.concatenate((signal[:600], signal[900:]))
    )
    steps_s = np.diff(found["script"]["time_stamps"])
    assert steps_s.max() == pytest.approx(301 / 600)
    events = [label for (label,) in found["script events"]["time_series"]]
    assert events[:4] == [
        "source stalled",
        "reconnected, epoch 1",
        "lost 300 samples",
        "source streaming",
    ]


def test_a_duration_and_a_stop_end_a_recording(
    tmp_path: Path, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """`record --duration 1` is one second, to the sample."""
    chunks = chunks_of(emg(2.0), (7,))
    one = record(script_source(chunks), tmp_path / "1.xdf", duration_s=1.0, realtime=False)
    assert (one.ended, one.samples) == ("duration", 600)
    stop = threading.Event()
    stop.set()
    none = record(script_source(chunks), tmp_path / "2.xdf", stop=stop, realtime=False)
    assert (none.ended, none.samples) == ("stopped", 0)


def test_a_source_that_fails_leaves_its_recording(
    tmp_path: Path, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """The error is the source's, and what came before is kept."""
    source = script_source([*chunks_of(emg(1.0)), SourceError("device", value="gone")])
    with pytest.raises(SourceError, match="gone"):
        record(source, tmp_path / "r.xdf")
    assert source.closed
    (again,) = FORMAT.read(tmp_path / "r.xdf")
    assert len(again.emg_uv) == 600


def test_a_recording_that_breaks_ends_at_once(
    tmp_path: Path,
    fake: type[FakeXdf],
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An hour would be read, and nothing of it be kept."""

    def broken(*_: Any) -> None:
        raise ValueError("sample 7 comes twice")

    monkeypatch.setattr(fake, "take", broken)
    (chunk,) = chunks_of(emg(0.01))
    source = script_source(iter(lambda: time.sleep(0.001) or chunk, None))  # for ever
    with pytest.raises(ValueError, match="comes twice"):
        record(source, tmp_path / "r.xdf")
    assert source.closed


def test_an_unproven_source_says_so_in_the_file(
    tmp_path: Path, info: SourceInfo, emg: Any, chunks_of: Callable[..., Any]
) -> None:
    """Guessed scales must not become facts on the way to a colleague."""
    file = LiveRecording(tmp_path / "r.xdf", replace(info, provenance=Provenance.GUESSED))
    for chunk in chunks_of(emg(0.1)):
        file.take(chunk, 0.0)
    file.close()
    assert b"guessed" in (tmp_path / "r.xdf").read_bytes()


def test_a_stream_that_cannot_be_sent_leaves_no_recording_open(
    tmp_path, toy_bundle, monkeypatch
) -> None:
    """Its thread would go on, and the file would have no end."""
    closed: list[Path] = []

    class Recording:
        def __init__(self, path: Path, *_: object, **__: object) -> None:
            self._path = path

        def close(self) -> None:
            closed.append(self._path)

    def refused(*_: object) -> None:
        raise StreamerError("no LSL")

    monkeypatch.setattr(sink, "LiveRecording", Recording)
    monkeypatch.setattr(sink, "Outlets", refused)
    with pytest.raises(StreamerError, match="no LSL"):
        sink.open_sinks(
            None, toy_bundle, OutletSettings(emg=True), tmp_path / "a.xdf", None, VirtualClock()
        )
    assert closed == [tmp_path / "a.xdf"]


def test_amplitudes_that_are_no_emg_are_among_the_problems(
    tmp_path: Path, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """A day of recordings in volts, taken for microvolts, would be found out at home."""
    source = script_source(chunks_of(emg(1.5) * np.float32(1e-6), (60,)))
    result = record(source, tmp_path / "day.xdf", realtime=False)
    assert [problem for problem in result.problems if "unit may be wrong" in problem]


def test_a_source_that_does_not_close_costs_no_recording(
    tmp_path: Path, script_source: Any, chunks_of: Any, emg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A serial port that hangs would keep the recording from its end, and from being said."""
    thawed = threading.Event()
    source = script_source(chunks_of(emg(0.3), (60,)))
    monkeypatch.setattr(source, "close", lambda: thawed.wait(60))
    closing = Closing(0.1)
    result = record(source, tmp_path / "a.xdf", realtime=False, closing=closing)
    assert result.samples == 180
    assert result.problems == ["the source does not close: it is left to itself"]
    assert closing.hanging
    (recorded,) = read_recordings(tmp_path / "a.xdf")
    assert len(recorded.emg_uv) == 180
    thawed.set()
