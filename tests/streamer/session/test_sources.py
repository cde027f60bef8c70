"""A session on sources as they are: cables, other channels, doubtful origins; and its recording."""

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
import soundfile

from drivers.errors import SignalMismatchError
from drivers.recordings.xdf import FORMAT, XdfWriter
from drivers.source import Channel, Chunk, Provenance, SourceState
from models.bundle import Bundle
from streamer.audio.settings import AudioSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session, SessionSettings

RECORD = SessionSettings(record=True, ring_s=10.0)


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run")


def streams(path: Path) -> dict[str, Any]:
    found, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in found}


def unplugged(source: Any, emg: Any, chunks_of: Any) -> Iterator[Chunk | None]:
    """Two seconds of EMG; from 1 s to 1.5 s the cable is out."""
    health = source.health
    yield from chunks_of(emg[:600])
    health.state = SourceState.STALLED
    yield None
    health.state = SourceState.RECONNECTING
    yield None
    health.state, health.reconnects = SourceState.STREAMING, 1
    health.lost_samples, health.gaps, health.drift_ppm = 300, 1, 12.5
    health.jitter_ms, health.clock_offset_s = 0.8, 0.25
    for n, chunk in enumerate(chunks_of(emg[900:], epoch=1, start_s=1.5)):
        gap = 300 if n == 0 else 0
        yield replace(chunk, first_index=chunk.first_index + 300, gap_before=gap)


@pytest.mark.parametrize("realtime", [True, False])
def test_a_cable_that_was_out_is_told_and_recorded(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    realtime: bool,
) -> None:
    """Voice, files and figures must agree on what was lost, and when."""
    signal = emg(2.0)
    source = script_source([])
    source._script = unplugged(source, signal, chunks_of)
    session = Session(
        source,
        toy_bundle,
        directory,
        settings=RECORD,
        audio=AudioSettings(enabled=False),
        realtime=realtime,
    )
    summary = session.run()
    assert summary.seconds == 2.0
    assert summary.lost_samples == 300
    assert len(soundfile.read(summary.audio)[0]) == 32000
    assert [(u.utterance, u.start_s, u.seconds, u.lost_samples) for u in summary.utterances] == [
        ("epoch-0000", 0.0, 1.0, 0),
        ("epoch-0001", 1.0, 1.0, 300),
    ]
    told = summary.counters["source"]
    assert (told["stalls"], told["reconnects"], told["gaps"]) == (1, 1, 1)
    assert summary.problems[:2] == [
        "the source was lost once and came back",
        "the source lost 300 of 1200 samples (25 %) in 1 gap",
    ]
    health = json.loads(directory.summary.read_text())["source"]["health"]
    assert (health["drift_ppm"], health["jitter_ms"], health["clock_offset_s"]) == (12.5, 0.8, 0.25)
    found = streams(directory.recording)
    np.testing.assert_array_equal(
        np.concatenate([s["time_series"] for s in found.values() if s["info"]["type"] == ["EMG"]]),
        np.concatenate((signal[:600], signal[900:])),
    )
    events = [label for (label,) in found["script events"]["time_series"]]
    assert [label for label in events if label.startswith("source")] == [
        "source stalled",
        "source reconnecting",
        "source streaming",
        "source disconnected",
    ]
    # The voice is where its EMG is, and there is none where there was no EMG.
    voice = found["script voice"]
    times_s = voice["time_stamps"]
    assert times_s[0] == pytest.approx(1 / 600, abs=1e-4)
    assert times_s[-1] == pytest.approx(2.0, abs=2e-3)
    assert np.diff(times_s).max() == pytest.approx(0.5, abs=0.02)
    whole = soundfile.read(summary.audio)[0]
    place = np.rint((times_s - 1 / 600) * 16000).astype(int)
    np.testing.assert_allclose(voice["time_series"][:, 0] / 32767, whole[place], atol=3 / 32768)
    assert summary.counters["recording"]["samples"] == 900


def test_what_the_ring_drops_is_recorded(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    computes_late: Any,
) -> None:
    """A slow machine must not cost the EMG, which can be converted again."""
    signal = emg(5.0)
    summary = Session(
        script_source(computes_late(chunks_of(signal, (60,)))),
        toy_bundle,
        directory,
        settings=SessionSettings(record=True, ring_s=0.2),
        audio=AudioSettings(enabled=False),
    ).run()
    assert summary.counters["ring"]["dropped_samples"] > 0
    (recording,) = FORMAT.read(directory.recording)
    np.testing.assert_array_equal(recording.emg_uv, signal)


def test_a_full_disk_ends_the_recording_and_not_the_voice(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The patient goes on speaking, and is told; what was recorded is kept."""
    append = XdfWriter._append

    def full(self: XdfWriter, data: bytes) -> None:
        if self.size_bytes > 20_000:
            self._open = False
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, data)

    monkeypatch.setattr(XdfWriter, "_append", full)
    signal = emg(2.0)
    summary = Session(
        script_source(chunks_of(signal)),
        toy_bundle,
        directory,
        settings=RECORD,
        audio=AudioSettings(enabled=False),
    ).run()
    assert (summary.ended, summary.error) == ("source", None)
    (problem,) = summary.problems
    assert problem.startswith("recording.xdf ends after")
    assert "No space left on device" in problem
    assert len(soundfile.read(summary.audio)[0]) == 32000
    assert len(directory.estimates.read_text().splitlines()) == 20
    counted = summary.counters["recording"]
    assert counted["samples"] + counted["unwritten_samples"] == 1200
    found = streams(directory.recording)["script"]["time_series"]
    np.testing.assert_array_equal(found, signal[: counted["samples"]])


def test_the_bundle_s_channels_are_found_among_others(
    directory: RunDirectory, toy_bundle: Bundle, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """A device with more inputs must just work, and its recording must hold them all."""
    signal = emg(1.0)
    order = [5, 0, 1, 2, 3, 4]
    labels = tuple(f"EMG{n + 1}" for n in order)
    aux = np.arange(600, dtype=np.float32)[:, np.newaxis]
    source = script_source(chunks_of(np.hstack((aux, signal[:, order]))), ("AUX", *labels))
    summary = Session(source, toy_bundle, directory, settings=RECORD, realtime=False).run()
    assert summary.notes == [
        "of the channels of script (AUX, EMG6, EMG1, EMG2, EMG3, EMG4, EMG5), "
        "the models get EMG1, EMG2, EMG3, EMG4, EMG5, EMG6"
    ]
    other = RunDirectory.create(directory.path.parent / "other")
    Session(script_source(chunks_of(signal)), toy_bundle, other, realtime=False).run()
    assert directory.audio.read_bytes() == other.audio.read_bytes()
    (recording,) = FORMAT.read(directory.recording)
    assert [channel.label for channel in recording.channels] == ["AUX", *labels]
    np.testing.assert_array_equal(recording.emg_uv[:, 0], aux[:, 0])


@pytest.mark.parametrize("name", ["c{}", "EMG {}"])
def test_channels_of_other_names_are_taken_by_their_order_and_that_is_said(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    name: str,
) -> None:
    """Electrodes in other places than in training would go unnoticed; spaces are no difference."""
    labels = tuple(name.format(n + 1) for n in range(6))
    source = script_source(chunks_of(emg(0.5)), labels)
    summary = Session(source, toy_bundle, directory, realtime=False).run()
    said = "channels of script are taken by their order: c1, c2, c3, c4, c5, c6 for EMG1, EMG2, "
    expected = [f"{said}EMG3, EMG4, EMG5, EMG6, on which the models were trained"]
    assert summary.notes == (expected if name == "c{}" else [])


def test_a_refusal_says_which_bundle_would_fit(
    directory: RunDirectory, toy_bundle: Bundle, script_source: Any
) -> None:
    """Whoever has another device must learn what to train."""
    source = script_source([])
    channels = tuple(Channel(f"in{n}") for n in range(8))
    source.info = replace(source.info, channels=channels, rate_hz=1000.0)
    with pytest.raises(SignalMismatchError, match="trained at 1000 Hz on 8 channels"):
        Session(source, toy_bundle, directory, realtime=False).run()
    assert source.closed


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        (Provenance.VERIFIED, []),
        (
            Provenance.EMULATOR_ONLY,
            [
                "source script is emulator-only: its driver is proven against an emulator only, "
                "not a device"
            ],
        ),
        (
            Provenance.GUESSED,
            ["source script is guessed: what its samples mean is guessed, and not proven"],
        ),
    ],
)
def test_a_doubtful_source_is_told(
    directory: RunDirectory,
    toy_bundle: Bundle,
    emg: Any,
    chunks_of: Any,
    script_source: Any,
    provenance: Provenance,
    told: list[str],
) -> None:
    """A figure from a guessed scale must not be printed without its doubt."""
    source = script_source(chunks_of(emg(0.2)))
    source.info = replace(source.info, provenance=provenance)
    session = Session(source, toy_bundle, directory, realtime=False)
    summary = session.run()
    assert summary.notes == told
    assert session.snapshot().provenance == provenance.value
    assert json.loads(directory.summary.read_text())["notes"] == told


def test_a_channel_that_fails_is_marked_in_the_recording(
    directory: RunDirectory, toy_bundle: Bundle, emg: Any, chunks_of: Any, script_source: Any
) -> None:
    """Who analyses a session a year later must see when the electrode was off, as it came."""
    signal_uv = emg(7.0)
    signal_uv[600:1200, 3] = np.nan
    source = script_source(chunks_of(signal_uv, (60,)))
    Session(
        source, toy_bundle, directory, settings=SessionSettings(record=True), realtime=False
    ).run()
    found = streams(directory.recording)
    labels = [label for (label,) in found["script events"]["time_series"]]
    assert [one for one in labels if "EMG4" in one] == [
        "channel EMG4 fails",
        "channel EMG4 works again",
    ]
    np.testing.assert_array_equal(found["script"]["time_series"], signal_uv)
