"""A session on disk: all that came, when it came, and what did not come."""

import io
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pyxdf

from drivers.errors import RecordingError
from drivers.recordings.info import describe
from drivers.recordings.xdf import FORMAT, SourceXdf
from drivers.source import Channel, Chunk, Marker, Provenance, SourceInfo

CHANNELS = tuple(Channel(f"EMG{k + 1}") for k in range(3))
INFO = SourceInfo("device", "device-7", CHANNELS, 600.0, Provenance.EMULATOR_ONLY)
STARTED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def samples(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 3)).astype(np.float32)


def chunk(emg, first, *, epoch=0, begin_s=100.0, rate_hz=600.0, **more) -> Chunk:
    time_s = begin_s + (first + len(emg) - 1) / rate_hz
    return Chunk(emg, epoch, first, time_s, time_s, **more)


def loaded(path) -> dict:
    streams, _ = pyxdf.load_xdf(io.BytesIO(path.read_bytes()), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


def recorder(path, **more) -> SourceXdf:
    return SourceXdf(path, INFO, started=STARTED, started_s=90.0, **more)


def test_a_session_comes_back(tmp_path):
    """Every sample, marker, loss and lead-in of two epochs is where it was."""
    emg = samples(1300)
    lead_in = samples(120, 1)
    path = tmp_path / "talk.xdf"
    with recorder(path) as xdf:
        for first in range(0, 600, 6):
            here = tuple(Marker(m, f"at {m}") for m in (0, 3, 5, 599) if first <= m < first + 6)
            xdf.take(chunk(emg[first : first + 6], first, markers=here))
        more = {"gap_before": 12, "gap_estimated": True}
        xdf.take(chunk(emg[600:700], 612, **more, markers=(Marker(605, "lost one"),)))
        xdf.take(
            chunk(
                emg[700:1300],
                0,
                epoch=1,
                begin_s=102.0,
                lead_in=lead_in,
                markers=(Marker(0, "utterance b"), Marker(10, "epoch 7 from sample 0")),
            )
        )
    first, second = FORMAT.read(path)
    assert (first.name, second.name) == ("talk-1", "b")
    np.testing.assert_array_equal(first.emg_uv[:600], emg[:600])
    assert np.isnan(first.emg_uv[600:612]).all()
    np.testing.assert_array_equal(first.emg_uv[612:], emg[600:700])
    np.testing.assert_array_equal(second.emg_uv, emg[700:])
    assert first.lead_in_uv is None
    np.testing.assert_array_equal(second.lead_in_uv, lead_in)
    assert first.markers == (
        *(Marker(m, f"at {m}") for m in (0, 3, 5, 599)),
        Marker(605, "lost one"),
    )
    assert second.markers == (Marker(10, "epoch 7 from sample 0"),)
    assert (first.rate_hz, first.channels) == (600.0, CHANNELS)
    assert first.recorded_at == STARTED + timedelta(seconds=10)
    assert second.recorded_at == STARTED + timedelta(seconds=12)
    log = [row[0] for row in loaded(path)["device log"]["time_series"]]
    assert log == ["epoch 0 from sample 0", "lost 12 samples (estimated)", "epoch 1 from sample 0"]
    assert all(r.provenance == "emulator-only" for r in FORMAT.read(path))


def test_what_no_recording_has_a_place_for_is_named(tmp_path):
    """Who converts a session learns that its voice and estimates stay behind."""
    path = tmp_path / "a.xdf"
    with recorder(path) as xdf:
        xdf.take(chunk(samples(600), 0, markers=(Marker(3, "m"),)))
        assert "left out" not in FORMAT.details(path)
        xdf.audio(np.zeros(160, np.float32), 100.0)
        xdf.estimates([0.5], ["mode audible"], 100.5)
    assert FORMAT.details(path)["left out"] == (
        "'device voice' (Audio, 1 channels, 16000 Hz); "
        "'device estimates' (Estimates, 1 channels, events)"
    )


def test_a_user_of_pyxdf_is_told_how_to_read_it(tmp_path):
    """pyxdf smooths times by default, and a gap is then smeared over what was received."""
    path = tmp_path / "a.xdf"
    with recorder(path) as xdf:
        xdf.take(chunk(samples(600), 0))
        xdf.take(chunk(samples(600), 660, gap_before=60))
    streams, header = pyxdf.load_xdf(path, dejitter_timestamps=False)
    assert "dejitter_timestamps=False" in header["info"]["streamer"][0]["note"][0]
    (emg,) = (s for s in streams if s["info"]["type"] == ["EMG"])
    assert emg["info"]["desc"][0]["synchronization"][0]["can_drop_samples"] == ["true"]
    steps = np.diff(emg["time_stamps"]) * 600
    assert steps[599] == pytest.approx(61)
    assert np.delete(steps, 599) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("offset_s", [0.0, 1234.5, -1.7e6])
def test_session_time_comes_back(tmp_path, offset_s):
    """Ten minutes of a drifting sender lie right in time for any reader of XDF."""
    path = tmp_path / "a.xdf"
    expected = []
    with recorder(path) as xdf:
        for k in range(600):
            offset_now_s = offset_s + 5e-5 * k  # 50 ppm
            part = chunk(samples(60, k), 600 * k, markers=(Marker(600 * k, str(k)),))
            expected.append(part.time_s - 59 / 600)
            xdf.take(Chunk(**{**vars(part), "gap_before": 540 if k else 0}), offset_now_s)
    streams = loaded(path)
    stamps = streams["device"]["time_stamps"]
    assert len(stamps) == 36000
    np.testing.assert_allclose(stamps[::60], expected, rtol=0, atol=2e-4)
    np.testing.assert_allclose(
        streams["device markers"]["time_stamps"], expected, rtol=0, atol=2e-4
    )
    assert 100 <= len(streams["device"]["clock_times"]) <= 122
    (recording,) = FORMAT.read(path)
    assert [m.index for m in recording.markers] == list(range(0, 360000, 600))


def test_a_sender_that_was_restarted(tmp_path):
    """A clock that was set spoils neither what was before nor what comes after."""
    path = tmp_path / "a.xdf"
    emg = samples(3000)
    with recorder(path) as xdf:
        for first in range(0, 3000, 60):
            if first == 1500:  # within an epoch, as after a correction of NTP
                xdf.take(chunk(emg[first : first + 60], first), 5000.0)
            else:
                xdf.take(chunk(emg[first : first + 60], first), 0.0 if first < 1500 else 5000.0)
        xdf.take(chunk(emg[:60], 0, epoch=1, begin_s=200.0), -3.0)
    streams = loaded(path)
    for name, begin_s in (("device", 100.0), ("device 2", 102.5), ("device 3", 200.0)):
        assert streams[name]["time_stamps"][0] == pytest.approx(begin_s, abs=1e-6)
    first, second = FORMAT.read(path)
    np.testing.assert_array_equal(first.emg_uv, emg)
    np.testing.assert_array_equal(second.emg_uv, emg[:60])


def test_voice_is_no_natural_speech(tmp_path):
    """Nobody trains on what the converter said."""
    path = tmp_path / "a.xdf"
    voice = np.linspace(-1.5, 1.0, 160, dtype=np.float32)
    with recorder(path) as xdf:
        xdf.take(chunk(samples(60), 0))
        xdf.audio(voice, 100.0)
        xdf.audio(voice, 100.01)
        xdf.estimates([0.25, 0.75], ["audible", "silent"], 100.05)
        xdf.event("stalled", 100.06)
        with pytest.raises(ValueError, match="estimates of"):
            xdf.estimates([0.25], ["audible"], 100.15)
    streams = loaded(path)
    sound = streams["device voice"]
    assert (sound["info"]["type"], sound["info"]["nominal_srate"]) == (["Audio"], ["16000.0"])
    assert "synthetic" in sound["info"]["desc"][0]["speech"][0]
    expected = np.rint(np.clip(voice, -1, 1) * 32767)
    np.testing.assert_array_equal(sound["time_series"][:, 0], np.tile(expected, 2))
    assert sound["time_stamps"][0] == 100.0
    assert streams["device estimates"]["time_series"].tolist() == [[0.25, 0.75]]
    assert streams["device events"]["time_series"] == [["stalled"]]
    assert streams["device events"]["time_stamps"].tolist() == [100.06]
    (recording,) = FORMAT.read(path)
    assert recording.audio is None
    assert recording.markers == ()
    assert recording.name == "a"


def test_missed_while_reconnecting(tmp_path):
    """Seconds without a device are rows of NaN, minutes are left out."""
    path = tmp_path / "a.xdf"
    emg = samples(60)
    with recorder(path) as xdf:
        xdf.take(chunk(emg, 0))
        xdf.take(chunk(emg, 900, epoch=1, gap_before=900))
        xdf.take(chunk(emg, 60000, epoch=2, gap_before=60000))
        xdf.take(
            chunk(emg, 60060 + 36001, epoch=2, gap_before=36001, markers=(Marker(96063, "m"),))
        )
    lengths = [len(recording.emg_uv) for recording in FORMAT.read(path)]
    assert lengths == [60, 960, 60, 60]
    recordings = FORMAT.read(path)
    assert np.isnan(recordings[1].emg_uv[:900]).all()
    assert recordings[3].markers == (Marker(2, "m"),)
    assert [r.name for r in recordings] == ["a-1", "a-2", "a-3", "a-4"]
    assert recordings[3].recorded_at == STARTED + timedelta(seconds=10 + 96061 / 600)


def test_a_loop_has_different_names(tmp_path):
    """The same utterance played twice is not mistaken for one."""
    path = tmp_path / "a.xdf"
    with recorder(path) as xdf:
        for epoch in range(3):
            name = (Marker(0, "utterance x"),)
            xdf.take(chunk(samples(6), 0, epoch=epoch, begin_s=100.0 + epoch, markers=name))
    assert [r.name for r in FORMAT.read(path)] == ["x", "x-2", "x-3"]


def test_nothing_recorded(tmp_path):
    """A recording that was killed before its first sample is looked at, and not replayed."""
    path = tmp_path / "a.xdf"
    with recorder(path):
        pass
    with pytest.raises(RecordingError, match="no samples"):
        FORMAT.read(path)
    info = describe(path)
    assert (info.samples, info.rate_hz, len(info.channels)) == (0, 600.0, 3)
    assert info.notes == ("no samples: it ended before the first one came",)


def test_a_sample_that_comes_twice(tmp_path):
    """A fault of a source is not recorded as if it were right."""
    with recorder(tmp_path / "a.xdf") as xdf:
        xdf.take(chunk(samples(6), 0))
        with pytest.raises(ValueError, match="comes twice"):
            xdf.take(chunk(samples(6), 5))


def test_a_full_disk(tmp_path, monkeypatch):
    """The recording ends with one clear error; the session goes on without it."""
    path = tmp_path / "a.xdf"
    xdf = recorder(path)
    xdf.take(chunk(samples(60), 0))

    def full(file, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            xdf.take(chunk(samples(60), 60))
    assert xdf.closed
    xdf.close()
    np.testing.assert_array_equal(FORMAT.read(path)[0].emg_uv, samples(60))


@pytest.mark.system
def test_kill_9(tmp_path):
    """A crash in mid-session leaves a recording up to its last second."""
    path = tmp_path / "a.xdf"
    code = """
        import sys
        from pathlib import Path
        import numpy as np
        from drivers.recordings.xdf import SourceXdf
        from drivers.source import *
        info = SourceInfo("d", "d-1", (Channel("a"),), 600.0, Provenance.SIMULATED)
        xdf = SourceXdf(Path(sys.argv[1]), info)
        for k in range(10**9):
            emg = np.full((6, 1), k, np.float32)
            xdf.take(Chunk(emg, 0, 6 * k, (6 * k + 5) / 600, 0.0), 0.5)
            xdf.audio(np.zeros(160, np.float32), k / 100)
            print(k, flush=True)
        """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(path)], stdout=subprocess.PIPE, text=True
    )
    said = [child.stdout.readline() for _ in range(700)]
    os.kill(child.pid, signal.SIGKILL)
    rest = child.communicate()[0]
    (recording,) = FORMAT.read(path)
    written = len(said) + rest.count("\n")
    rows = len(recording.emg_uv)
    assert written * 6 <= rows <= written * 6 + 12
    np.testing.assert_array_equal(recording.emg_uv[:, 0], np.repeat(np.arange(rows // 6), 6))
