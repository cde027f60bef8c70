"""The container: whole chunks or none, and what readers make of them."""

import errno
import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import pyxdf
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.xdf import XdfWriter
from drivers.recordings.xdf.container import BOUNDARY, length
from drivers.recordings.xdf.scan import scan
from drivers.source import Channel

ONE = (Channel("a"),)
TWO = (Channel("a"), Channel("b", "mV", "AUX"))
FORMATS = {
    "float32": np.float32,
    "double64": np.float64,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
}


def loaded(path):
    with open(path, "rb") as file:
        streams, header = pyxdf.load_xdf(
            io.BytesIO(file.read()), dejitter_timestamps=False, synchronize_clocks=False
        )
    return {stream["info"]["name"][0]: stream for stream in streams}, header


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_come_back(tmp_path, name):
    """Another program reads the very numbers that were recorded."""
    values = np.array([[1, -2], [100, 3], [0, -128], [7, 7]]).astype(FORMATS[name])
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream("s", "EMG", TWO, 500.0, name, source_id="x-1")
        writer.write(stream, values[:3], 10.0)
        writer.write(stream, values[3:], [11.5])
    streams, _ = loaded(tmp_path / "a.xdf")
    np.testing.assert_array_equal(streams["s"]["time_series"], values)
    np.testing.assert_allclose(streams["s"]["time_stamps"], [10, 10.002, 10.004, 11.5])
    assert streams["s"]["info"]["source_id"] == ["x-1"]


def test_texts_come_back(tmp_path):
    """A marker may say anything, in any script."""
    texts = ["", "ü <&> \"'", "a\nb", "x" * 300, "\x01"]
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream("marks <é> \x02", "Markers", ONE, 0.0, "string")
        writer.write(stream, texts, np.arange(5.0))
        with pytest.raises(ValueError, match="a time stamp each"):
            writer.write(stream, texts, 1.0)
    streams, _ = loaded(tmp_path / "a.xdf")
    series = streams["marks <é> \ufffd"]["time_series"]
    assert [row[0] for row in series] == texts


def test_metadata_and_footers(tmp_path):
    """What the stream is, and what became of it, stands in the file."""
    with XdfWriter(tmp_path / "a.xdf", about={"more": {"b": [1, 2]}}) as writer:
        stream = writer.add_stream(
            "s",
            "EMG",
            TWO,
            600.0,
            "float32",
            desc={"acquisition": {"manufacturer": "m"}},
        )
        writer.clock_offset(stream, 5.0, -2.0)
        writer.write(stream, np.zeros((301, 2)), 5.0)
    streams, header = loaded(tmp_path / "a.xdf")
    assert header["info"]["version"] == ["1.0"]
    assert header["info"]["more"][0]["b"] == ["1", "2"]
    info = streams["s"]["info"]
    assert len(info["uid"][0]) == 36
    assert info["hostname"] == [socket.gethostname()]
    channels = info["desc"][0]["channels"][0]["channel"]
    assert [c["label"][0] for c in channels] == ["a", "b"]
    assert [c["unit"][0] for c in channels] == ["microvolts", "mV"]
    assert [c["type"][0] for c in channels] == ["EMG", "AUX"]
    assert info["desc"][0]["acquisition"][0]["manufacturer"] == ["m"]
    footer = streams["s"]["footer"]["info"]
    assert footer["sample_count"] == ["301"]
    assert float(footer["first_timestamp"][0]) == 5.0
    assert float(footer["last_timestamp"][0]) == pytest.approx(5.5)
    assert float(footer["measured_srate"][0]) == pytest.approx(600)
    offset = footer["clock_offsets"][0]["offset"][0]
    assert (offset["time"], offset["value"]) == (["5.0"], ["-2.0"])


def test_nothing_is_overwritten(tmp_path):
    """Yesterday's recording stays."""
    path = tmp_path / "a.xdf"
    path.write_bytes(b"yesterday")
    with pytest.raises(RecordingError, match="it exists; allowed: a new file"):
        XdfWriter(path)
    assert path.read_bytes() == b"yesterday"
    with pytest.raises(RecordingError, match="No such file"):
        XdfWriter(tmp_path / "nowhere" / "a.xdf")


def test_wrong_samples(tmp_path):
    """A mistake of the program does not become a wrong file."""
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream("s", "EMG", TWO, 600.0, "int16")
        with pytest.raises(TypeError):
            writer.write(stream, np.zeros((1, 2)), 0.0)
        with pytest.raises(TypeError):
            writer.write(stream, np.array([[1, 70000]]), 0.0)
        with pytest.raises(ValueError, match="2 channels"):
            writer.write(stream, np.zeros((1, 3), np.int16), 0.0)
        with pytest.raises(ValueError, match="stamps"):
            writer.write(stream, np.zeros((1, 2), np.int16), [0.0, 1.0])
        with pytest.raises(ValueError, match="0 channels"):
            writer.add_stream("s", "EMG", (), 600.0, "int16")
        writer.write(stream, np.zeros((0, 2), np.int16), 0.0)
    with pytest.raises(ValueError, match="closed"):
        writer.write(stream, np.zeros((1, 2), np.int16), 0.0)
    assert writer.closed
    writer.close()
    streams, _ = loaded(tmp_path / "a.xdf")
    assert len(streams["s"]["time_series"]) == 0


def test_boundaries(tmp_path):
    """Damage costs 10 s or 64 KiB, not the rest of the day."""
    now = [0.0]
    with XdfWriter(tmp_path / "a.xdf", clock=lambda: now[0]) as writer:
        stream = writer.add_stream("s", "EMG", ONE, 600.0, "float32")
        for _ in range(31):
            writer.write(stream, np.zeros((1, 1), np.float32), now[0])
            now[0] += 1.0
        assert (tmp_path / "a.xdf").read_bytes().count(BOUNDARY) == 3
        for _ in range(5):
            writer.write(stream, np.zeros((13200, 1), np.float32), now[0])
        assert (tmp_path / "a.xdf").read_bytes().count(BOUNDARY) == 7
        writer.boundary()
        writer.flush()
    assert (tmp_path / "a.xdf").read_bytes().count(BOUNDARY) == 9  # and one by the footer


@given(st.integers(0, 2**64 - 1))
def test_lengths(value):
    """The shortest of the three forms, which every reader knows."""
    data = length(value)
    assert int.from_bytes(data[1:], "little") == value
    assert len(data) == 1 + data[0]


@pytest.mark.parametrize("written", [0, 1, 50])
def test_a_full_disk_leaves_whole_chunks(tmp_path, monkeypatch, written):
    """What was recorded before is not spoilt by what did not fit."""
    writer = XdfWriter(tmp_path / "a.xdf")
    stream = writer.add_stream("s", "EMG", TWO, 600.0, "float32")
    writer.write(stream, np.ones((10, 2), np.float32), 0.0)
    size = writer.size_bytes
    really = os.write
    calls = iter([written, None])

    def full(file, data):
        room = next(calls)
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really(file, data[:room])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            writer.write(stream, np.ones((100, 2), np.float32), 1.0)
    assert writer.closed
    writer.close()
    assert (tmp_path / "a.xdf").stat().st_size == size
    found = scan(tmp_path / "a.xdf")
    assert (found.skipped_bytes, sum(span.samples for span in found.spans)) == (0, 10)


def test_a_disk_that_is_full_at_once_leaves_no_file(tmp_path, monkeypatch):
    """Nothing could read it, and the same command would say that it exists."""

    def full(file, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RecordingError, match="No space left"):
            XdfWriter(tmp_path / "a.xdf")
    assert list(tmp_path.iterdir()) == []
    XdfWriter(tmp_path / "a.xdf").close()


def run(code: str, path, **more) -> subprocess.Popen:
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, **more)


@pytest.mark.system
def test_a_file_at_its_limit(tmp_path):
    """The same with a file system that really takes no more."""
    child = run(
        """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from drivers.recordings.xdf import XdfWriter
        from drivers.source import Channel
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        writer = XdfWriter(Path(sys.argv[1]))
        stream = writer.add_stream("s", "EMG", (Channel("a"),), 600.0, "float32")
        try:
            for k in range(100):
                writer.write(stream, np.full((100, 1), k, np.float32), k)
        except OSError as error:
            print(error.strerror, k, writer.closed, writer.size_bytes)
        """,
        tmp_path / "a.xdf",
    )
    says, chunks, closed, size = child.communicate()[0].rsplit(maxsplit=3)
    assert (child.returncode, says, closed) == (0, os.strerror(errno.EFBIG), "True")
    assert (tmp_path / "a.xdf").stat().st_size == int(size) <= 20000
    streams, _ = loaded(tmp_path / "a.xdf")
    assert len(streams["s"]["time_series"]) == 100 * int(chunks) > 3000


@pytest.mark.system
def test_kill_9(tmp_path):
    """A crash costs nothing that was recorded."""
    child = run(
        """
        import sys
        from pathlib import Path
        import numpy as np
        from drivers.recordings.xdf import XdfWriter
        from drivers.source import Channel
        writer = XdfWriter(Path(sys.argv[1]))
        stream = writer.add_stream("s", "EMG", (Channel("a"),), 600.0, "float32")
        for k in range(10**9):
            writer.write(stream, np.full((6, 1), k, np.float32), k / 100)
            print(k, flush=True)
        """,
        tmp_path / "a.xdf",
    )
    said = [child.stdout.readline() for _ in range(500)]
    os.kill(child.pid, signal.SIGKILL)
    said += child.communicate()[0].splitlines()
    streams, _ = loaded(tmp_path / "a.xdf")
    series = streams["s"]["time_series"][:, 0]
    chunks = len([line for line in said if line.strip()])
    assert len(series) >= 6 * (chunks - 1)  # the last line may be half
    np.testing.assert_array_equal(series, np.repeat(np.arange(len(series) // 6), 6))


def test_xml_is_made_by_a_library(tmp_path):
    """Metadata with angle brackets do not make a file that nobody reads."""
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream("<&>", "]]>", (Channel("</label>"),), 1.0, "int8")
    head = scan(tmp_path / "a.xdf").heads[1]
    assert (head.name, head.type) == ("<&>", "]]>")
    assert isinstance(head.info, ET.Element)
    assert head.info.findtext("desc/channels/channel/label") == "</label>"
