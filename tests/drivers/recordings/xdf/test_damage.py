"""Files that are cut, scratched or lying: a readable part or one line, never a crash."""

import struct
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.xdf import FORMAT, SourceXdf, XdfWriter
from drivers.recordings.xdf.container import MAGIC, Tag, chunk, length
from drivers.recordings.xdf.scan import scan
from drivers.source import Channel, Chunk, Marker, Provenance, SourceInfo

CHANNELS = (Channel("a"), Channel("b"))
INFO = SourceInfo("d", "d-1", CHANNELS, 600.0, Provenance.SIMULATED)


@pytest.fixture
def whole(tmp_path):
    """A session with all that a session can have."""
    emg = np.random.default_rng(0).standard_normal((1800, 2)).astype(np.float32)
    ticks = iter(np.arange(0, 1e6, 0.3))
    path = tmp_path / "whole.xdf"
    with SourceXdf(path, INFO) as xdf:
        xdf._writer._clock = lambda: next(ticks)  # boundaries as in five minutes
        xdf._writer._boundary_s = 0.0
        for k in range(0, 1800, 30):
            epoch, first = divmod(k, 900)
            here = emg[k : k + 30]
            xdf.take(
                Chunk(
                    here,
                    epoch,
                    first,
                    (k + 29) / 600,
                    0.0,
                    lead_in=here if not first else None,
                    markers=(Marker(first, "m"),),
                ),
                0.25,
            )
            xdf.audio(np.zeros(8, np.float32), k / 600)
            xdf.event("e", k / 600)
    return path, emg


@pytest.fixture
def converted(tmp_path, make_recording):
    path = tmp_path / "converted.xdf"
    sound = {"audio": np.ones(3000, np.float32), "audio_rate_hz": 8000.0, "speaker": "s"}
    series = [make_recording(300, name=name, **sound) for name in "abc"]
    FORMAT.write(path, series)
    return path


def outcome(path):
    """The recordings, or None for an error of one line."""
    line = ""
    try:
        recordings = list(FORMAT.read(path))
    except RecordingError as error:
        line = str(error)
    assert "\n" not in line
    return None if line else recordings


def test_cut_anywhere(whole, tmp_path):
    """Whatever was recorded before a crash is read as it was."""
    path, emg = whole
    data = path.read_bytes()
    cut = tmp_path / "cut.xdf"
    rng = np.random.default_rng(1)
    read = 0
    for size in sorted(rng.integers(0, len(data), 60).tolist()):
        cut.write_bytes(data[:size])
        recordings = outcome(cut)
        if recordings is None:
            continue
        rows = np.concatenate([recording.emg_uv for recording in recordings])
        np.testing.assert_array_equal(rows, emg[: len(rows)])
        assert len(rows) >= read
        read = len(rows)
        assert [len(r.emg_uv) for r in recordings[:-1]] == [900] * (len(recordings) - 1)
    assert read > 1500


@pytest.fixture
def foreign(tmp_path):
    path = tmp_path / "foreign.xdf"
    with XdfWriter(path) as writer:
        emg = writer.add_stream("s", "EMG", CHANNELS, 600.0, "int16")
        markers = writer.add_stream("m", "Markers", CHANNELS[:1], 0.0, "string")
        sound = writer.add_stream("a", "Audio", CHANNELS[:1], 8000.0, "int16")
        for k in range(20):
            writer.write(emg, np.ones((30, 2), np.int16), k / 20)
            writer.write(markers, ["x"], [k / 20])
            writer.write(sound, np.ones(400, np.int16), k / 20)
    return path


@pytest.mark.parametrize(("kind", "times"), [("whole", 50), ("converted", 250), ("foreign", 250)])
def test_scratched_anywhere(kind, times, request, tmp_path):
    """A bad sector ends in a line, not in a traceback."""
    made = request.getfixturevalue(kind)
    data = (made[0] if kind == "whole" else made).read_bytes()
    scratched = tmp_path / "scratched.xdf"
    rng = np.random.default_rng(2)
    readable = 0
    for _ in range(times):
        damaged = bytearray(data)
        last = 3000 if rng.random() < 0.3 else len(data)  # the headers above all
        for at in rng.integers(4, last, rng.integers(1, 10)):
            damaged[at] = rng.integers(0, 256)
        if rng.random() < 0.3:
            at = int(rng.integers(4, len(data)))
            del damaged[at : at + int(rng.integers(1, 2000))]
        scratched.write_bytes(damaged)
        readable += outcome(scratched) is not None
    assert readable > times / 4


def test_lost_chunks_are_lost_samples(whole, tmp_path):
    """What lies behind the damage keeps its place in time."""
    path, emg = whole
    data = bytearray(path.read_bytes())
    spans = [s for s in scan(path).spans if s.tag == Tag.SAMPLES and s.samples == 30]
    data[spans[40].begin] = 77  # neither first nor last of the second epoch
    path.write_bytes(data)
    first, second = FORMAT.read(path)
    np.testing.assert_array_equal(first.emg_uv, emg[:900])
    lost = np.isnan(second.emg_uv).all(axis=1)
    assert lost.sum() >= 30
    np.testing.assert_array_equal(second.emg_uv[~lost], emg[900:][~lost])
    assert FORMAT.details(path)["streams"].startswith("'d' (EMG, 2 channels, 600 Hz)")
    assert "bytes cannot be read" in FORMAT.details(path)["damage"]


def header(**more: object) -> bytes:
    info = ET.Element("info")
    values = {
        "name": "s",
        "type": "EMG",
        "channel_count": 1,
        "nominal_srate": 600,
        "channel_format": "float32",
        **more,
    }
    for key, value in values.items():
        ET.SubElement(info, key).text = str(value)
    channel = ET.SubElement(ET.SubElement(ET.SubElement(info, "desc"), "channels"), "channel")
    ET.SubElement(channel, "unit").text = "uV"
    return chunk(Tag.STREAM_HEADER, ET.tostring(info), 1)


def rows(stamps, count=None) -> bytes:
    body = b"".join(b"\x08" + struct.pack("<df", stamp, 1.0) for stamp in stamps)
    return chunk(Tag.SAMPLES, length(len(stamps) if count is None else count) + body, 1)


HUGE = b"\x08" + struct.pack("<Q", 1 << 60)
LIES = {
    "encoding": header()
    + chunk(Tag.STREAM_FOOTER, b"<?xml version='1.0' encoding='x'?><info/>", 1),
    "chunk length": header() + rows([1.0]) + HUGE + struct.pack("<HI", 3, 1) + bytes(100),
    "header length": HUGE + struct.pack("<HI", 2, 1) + bytes(100),
    "sample count": header() + rows([1.0], 1 << 62),
    "sample count 32 bit": header() + rows([1.0], (1 << 32) - 1),
    "channels": header(channel_count=10**9) + rows([1.0]),
    "channels without samples": header(channel_count=10**9) + chunk(Tag.SAMPLES, length(0), 1),
    "negative channels": header(channel_count=-3) + rows([1.0]),
    "channels in words": header(channel_count="many") + rows([1.0]),
    "rate": header(nominal_srate=1e300) + rows([1.0, 2.0]),
    "rate that is none": header(nominal_srate="nan") + rows([1.0, 2.0]),
    "format": header(channel_format="float1024") + rows([1.0]),
    "strings": header(channel_format="string")
    + chunk(Tag.SAMPLES, length(1) + b"\x00\x08" + struct.pack("<Q", 1 << 62), 1),
    "no name": header(name="") + rows([1.0]),
    "no XML": chunk(Tag.STREAM_HEADER, b"<info><name>", 1) + rows([1.0]),
    "deep XML": chunk(Tag.STREAM_HEADER, b"<a>" * 10**5 + b"</a>" * 10**5, 1),
    "stamps": header() + rows([1.0, 1e300, 2.0]),
    "stamps that are none": header() + rows([1.0, float("nan")]),
    "stamps far apart": header() + rows(np.arange(20000) * 59.0),
    "stamps further apart": header() + rows(np.arange(2000) * 4e6),
    "offset": header() + rows([1.0]) + chunk(Tag.CLOCK_OFFSET, struct.pack("<dd", 0, np.nan), 1),
    "entities": chunk(
        Tag.STREAM_HEADER,
        b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><info><name>&b;</name></info>',
        1,
    )
    + rows([1.0]),
    "nothing": b"",
    "unknown stream": rows([1.0]),
    "too short": b"\x01\x01\x02",
}


@pytest.mark.parametrize("lie", LIES)
def test_lies(tmp_path, lie):
    """A file that claims to be huge is refused, or read for what it is."""
    path = tmp_path / "lie.xdf"
    path.write_bytes(MAGIC + LIES[lie])
    recordings = outcome(path)
    honest = {"chunk length", "offset", "stamps further apart", "stamps", "stamps that are none"}
    assert any(len(one.emg_uv) for one in recordings or []) == (lie in honest)


@pytest.mark.system
def test_lies_cost_no_memory(tmp_path):
    """Nobody's machine stands still over a damaged file."""
    for number, lie in enumerate(LIES.values()):
        (tmp_path / f"{number}.xdf").write_bytes(MAGIC + lie)
    log = f"epoch 0 from sample {10**14}", f"lost {10**14} samples", f"end at sample {10**14}"
    with XdfWriter(tmp_path / "own.xdf") as writer:
        own = {"streamer": {"part": 1}}
        roles = {}
        for role, form in (("emg", "float32"), ("log", "string")):
            own["streamer"]["role"] = role
            roles[role] = writer.add_stream(role, "EMG", CHANNELS[:1], 600.0, form, desc=own)
        for k in range(300):
            writer.write(roles["log"], [log[0][:-14] + "1" * 4, "lost 35999 samples"], [k, k])
            writer.write(roles["emg"], np.ones((1, 1), np.float32), float(k))
        for line in log:
            writer.write(roles["log"], [line], 400.0)
            writer.write(roles["emg"], np.ones((1, 1), np.float32), 400.0)
    code = """
        import resource, sys
        from pathlib import Path
        from drivers.errors import RecordingError
        from drivers.recordings.xdf import FORMAT
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (400 << 20), used + (400 << 20)))
        for path in sorted(Path(sys.argv[1]).glob("*.xdf")):
            try:
                recordings = FORMAT.read(path)
                assert sum(r.emg_uv.nbytes for r in recordings) < 100 << 20
            except RecordingError as error:
                assert "needs more memory" not in str(error), path
                assert "MemoryError" not in str(error), path
        """
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_other_files(tmp_path):
    """A wrong file is called a wrong file."""
    (tmp_path / "a.xdf").write_bytes(b"RIFF....")
    with pytest.raises(RecordingError, match="begins with b'RIFF'"):
        FORMAT.read(tmp_path / "a.xdf")
    assert not FORMAT.recognises(tmp_path / "a.xdf", b"RIFF....")
    with pytest.raises(RecordingError, match="No such file"):
        FORMAT.read(tmp_path / "b.xdf")
