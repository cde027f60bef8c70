"""Vitaport files that are cut, damaged, or claim what cannot be."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.vitaport import FORMAT, details, read_vitaport


def channels_of(vitaport, ticks: int):
    """EMG, something slow between, and events at the end."""
    rng = np.random.default_rng(7)
    emg = [vitaport.Channel(b"EMG%d" % k, rng.integers(0, 65536, ticks).tolist()) for k in range(3)]
    slow = vitaport.Channel(b"EDA", rng.integers(0, 65536, -(-ticks // 3)).tolist(), scan=3)
    marker = vitaport.Channel(b"MARKER", rng.integers(0, 2, ticks).tolist(), b"mrk", 130, 1)
    return [emg[0], slow, *emg[1:], marker]


@pytest.fixture
def contents(vitaport) -> dict[str, bytes]:
    """Two files of each kind's features."""
    channels = channels_of(vitaport, 200)
    tables = vitaport.table(b"MARKER", [1, 2, 3], 100)
    one, two = vitaport.raw(channels, 200), vitaport.raw(channels, 90)
    return {
        "converted": vitaport.converted(channels, tables=tables),
        "raw": vitaport.padded(one) + two,
    }


def try_to_read(path, content: bytes):
    """Read or refuse in one line, whichever way it is asked."""
    path.write_bytes(content)
    try:
        details(path)
        return read_vitaport(path)
    except RecordingError as error:
        line = str(error)
    assert "\n" not in line
    return None


@pytest.mark.parametrize("kind", ["converted", "raw"])
def test_a_cut_file_gives_its_readable_part_or_says_what_is_missing(tmp_path, contents, kind):
    """What was copied of a session is not lost with the rest, and not mixed up either."""
    content, path = contents[kind], tmp_path / "cut.vpd"
    whole = try_to_read(path, content)
    rng = np.random.default_rng(3)
    read = 0
    for cut in [0, 1, 7, 8, 35, 36, 200, 511, 512, *rng.integers(0, len(content), 60).tolist()]:
        part = try_to_read(path, content[:cut])
        for recording, complete in zip(part or (), whole, strict=False):
            assert recording.channels == complete.channels
            n = len(recording.emg_uv)
            np.testing.assert_array_equal(recording.emg_uv, complete.emg_uv[:n])
            kept = tuple(m for m in complete.markers if m.label == "1" and m.index < n)
            if any(m.label == "1" for m in recording.markers):
                assert tuple(m for m in recording.markers if m.label == "1") == kept
            read += 1
    assert read > (10 if kind == "raw" else 3)


def test_what_is_missing_is_said(tmp_path, vitaport):
    """A file that ends too early does not look like a whole one."""
    channels = channels_of(vitaport, 600)
    path = tmp_path / "cut.vpd"
    content = vitaport.converted(channels)
    path.write_bytes(content[:-7])
    texts = details(path)
    assert texts["truncated"] == "7 bytes that the header claims are not in the file"
    assert texts["channel MARKER"].endswith("left out: cut off, the file ends before its data do")
    assert len(read_vitaport(path)[0].emg_uv) == 600
    path.write_bytes(content[:-607])
    with pytest.raises(RecordingError, match=r"EMG channel EMG2 of cut.vpd: got cut off, .*; copy"):
        read_vitaport(path)
    raw = vitaport.raw(channels, 600)
    path.write_bytes(raw[:-10])  # ticks of 7 and of 9 bytes
    assert len(read_vitaport(path)[0].emg_uv) == 598
    assert details(path)["truncated"] == "10 bytes that the header claims are not in the file"
    path.write_bytes(vitaport.padded(raw) + raw[:100])
    behind = len(vitaport.padded(raw)) - len(raw) + 100
    assert details(path)["behind the last recording"] == f"{behind} bytes that are not read"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"kind": 7}, "kind of x.vpd: got type 7 with a header of 238 bytes and 5 channels"),
        ({"header_length": 512}, "type 6 with a header of 512 bytes.*type 7 .raw. with a multiple"),
        ({"kind": 2}, "kind of x.vpd: got type 2"),
        ({"channels": 4}, "238 bytes and 4 channels; allowed: type 6 .converted. with 198 bytes"),
        ({"channels": 0, "header_length": 38}, "got 0 channels, scan divisor 128; allowed: 1 or"),
        ({"divisor": 0}, "got 5 channels, scan divisor 0"),
        ({"table": 22}, "offset of the channel table in x.vpd: got 22; allowed: 36"),
        ({"channel_header": 24}, "length of a channel header in x.vpd: got 24; allowed: 40"),
        ({"sync": 0x4AFD}, "sync word of x.vpd: got 0x4afd; allowed: 0x4afc"),
    ],
)
def test_a_header_that_contradicts_itself(tmp_path, vitaport, changes, line):
    """Raw taken for converted would be noise at full scale."""
    path = tmp_path / "x.vpd"
    path.write_bytes(vitaport.converted(channels_of(vitaport, 200), **changes))
    with pytest.raises(RecordingError, match=line):
        read_vitaport(path)


def test_a_raw_file_that_cannot_be_told_apart(tmp_path, vitaport):
    """Without factors and lengths no byte can be given to a channel."""
    path = tmp_path / "x.raw"
    channels = channels_of(vitaport, 60)
    content = bytearray(vitaport.raw(channels, 60))
    content[8:12] = struct.pack(">I", 511)
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="data length of x.raw: got 511 bytes; allowed: 512"):
        read_vitaport(path)
    content = bytearray(vitaport.raw(channels, 60))
    content[36 + 40 + 12] = 0
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="scan and store factors of x.raw: got EDA with 0"):
        read_vitaport(path)


def test_no_file(tmp_path):
    """A name that was mistyped is said."""
    for path in (tmp_path / "none.vpd", tmp_path):
        with pytest.raises(RecordingError, match="^Vitaport file"):
            read_vitaport(path)


@pytest.mark.parametrize("kind", ["converted", "raw"])
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damage_ends_in_one_line(tmp_path, contents, kind, data):
    """Whatever became of a file, the application goes on."""
    content = bytearray(contents[kind])
    headers = 36 + 5 * 40 + 2
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(2, headers - 1) | st.integers(0, len(content) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 127, 255]) | st.integers(0, 255))
    for recording in try_to_read(tmp_path / "x.vpd", bytes(content)) or ():
        assert recording.emg_uv.dtype == np.float32
        assert recording.rate_hz > 0
        assert len({c.label for c in recording.channels}) == recording.emg_uv.shape[1]
        assert recording.emg_uv.size <= len(content)


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tail=st.binary(max_size=2000), kind=st.sampled_from([6, 7]), count=st.integers(0, 255))
def test_random_bytes(tmp_path, tail, kind, count):
    """A file that only begins like one is no crash."""
    length = 38 + 40 * count if kind == 6 else -(-(38 + 40 * count) // 512) * 512
    head = struct.pack(">HHHBB", 0x4AFC, length, 36, kind, count)
    try_to_read(tmp_path / "x.vpd", head + tail)


def test_absurd_sizes_do_not_fill_the_memory(tmp_path, vitaport):
    """A few kilobytes that claim gigabytes cost kilobytes."""
    rng = np.random.default_rng(0)
    many = [vitaport.Channel(b"EMG%d" % k, [k] * 40) for k in range(255)]
    few = channels_of(vitaport, 600)
    slow = [vitaport.Channel(b"EMG1", [1, 2], scan=255, store=255)]
    huge_lengths = bytearray(vitaport.converted(few))
    overlapping = bytearray(vitaport.converted(many))
    for content, count in ((huge_lengths, 5), (overlapping, 255)):
        for k in range(count):
            at = 36 + 40 * k + 24
            claim = (0, 0xFFFFFFFF) if content is huge_lengths else (0, len(content) - 10240 - 38)
            content[at : at + 8] = struct.pack(">II", *claim)
    table = struct.pack(">6sI", b"MARKER", 0xFFFFFFFF) + rng.bytes(4000)
    contents = [
        bytes(huge_lengths),
        bytes(overlapping),
        vitaport.raw(few, 600, data_length=0xFFFFFFFF),
        vitaport.raw(few, 600, data_length=0xFFFFFFFF, divisor=1),
        vitaport.raw(many, 40, header_length=65024, data_length=0xFFFFFFFF),
        vitaport.raw(slow, 65026, data_length=0xFFFFFFFF, divisor=0xFFFF),
        vitaport.converted(few, data_length=0xFFFFFFFF, tables=table),
        vitaport.converted(few, tables=bytes(20_000)),
    ]
    tracemalloc.start()
    read = [try_to_read(tmp_path / "x.vpd", content) for content in contents]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
    assert [None if r is None else len(r[0].emg_uv) for r in read] == [
        None, None, 600, 600, 40, 2, 600, 600,
    ]  # fmt: skip
    assert len([m for m in read[6][0].markers if m.label.startswith("MARKER")]) == 100


def test_other_files_are_not_recognised(tmp_path):
    """A headerless file of another corpus is not taken for one of these."""
    for head in (b"", b"\x4a\xfc", b"\x4a\xfc" + bytes(30), b"XDF:" + bytes(30), bytes(4096)):
        assert not FORMAT.recognises(tmp_path / "x.vpd", head)
