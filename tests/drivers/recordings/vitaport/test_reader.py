"""Vitaport files to recordings."""

from datetime import datetime

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.vitaport import FORMAT, details, read_vitaport
from drivers.source import Channel, Marker


@pytest.fixture
def read(tmp_path):
    """Read bytes as a file."""

    def from_bytes(content: bytes, **settings):
        path = tmp_path / "talk.vpd"
        path.write_bytes(content)
        assert FORMAT.recognises(path, content[:4096])
        return read_vitaport(path, **settings)

    return from_bytes


@pytest.fixture
def describe(tmp_path):
    """Say what is in bytes."""

    def from_bytes(content: bytes) -> dict[str, str]:
        path = tmp_path / "talk.vpd"
        path.write_bytes(content)
        return details(path)

    return from_bytes


@pytest.mark.parametrize("kind", ["converted", "raw"])
def test_six_channels_at_600_hz(read, vitaport, six_channels, kind):
    """What the recorder wrote is what is replayed, in microvolts."""
    content = (
        vitaport.converted(six_channels) if kind == "converted" else vitaport.raw(six_channels, 300)
    )
    (recording,) = read(content)
    assert recording.name == "talk"
    assert recording.rate_hz == 600
    assert recording.channels == tuple(Channel(f"EMG{k + 1}") for k in range(6))
    assert recording.recorded_at == datetime(2013, 12, 24, 13, 45, 59)  # noqa: DTZ001
    assert recording.emg_uv.dtype == np.float32
    expected = np.stack([channel.physical for channel in six_channels], 1)
    np.testing.assert_array_equal(recording.emg_uv, expected.astype(np.float32))


def test_multiplexed_channels_of_different_rates(read, vitaport):
    """A slow channel between fast ones shifts bytes, and not one sample of EMG."""
    rng = np.random.default_rng(1)
    ticks = 1001

    def channel(name, scan=1, store=1, **more):
        samples = -(-ticks // (scan * store))
        high = 256 ** more.get("width", 2)
        return vitaport.Channel(
            name, rng.integers(0, high, samples).tolist(), scan=scan, store=store, **more
        )

    channels = [
        channel(b"UBATT", 8, 8, unit=b"mV", width=1),
        channel(b"EMG1", 2),
        channel(b"EDA", 3, 5, unit=b"uS"),
        channel(b"emg2", 1, 2),
        channel(b"AUX", 2, unit=b"bar", mul=3, div=4),
        channel(b"EMGx", 4),
        channel(b"RESP", 7, unit=b"%", width=1),
    ]
    (recording,) = read(vitaport.raw(channels, ticks))
    assert recording.rate_hz == 300
    assert recording.channels == (
        Channel("EMG1"),
        Channel("emg2"),
        Channel("AUX", "bar", "AUX"),
    )
    expected = np.stack([channels[k].physical for k in (1, 3, 4)], 1)
    np.testing.assert_array_equal(recording.emg_uv, expected.astype(np.float32))
    (converted,) = read(vitaport.converted(channels))
    np.testing.assert_array_equal(converted.emg_uv, recording.emg_uv)
    assert converted.channels == recording.channels


def test_several_raw_recordings_in_a_file(read, describe, vitaport, six_channels):
    """The second sentence of a session is found, whether the first fills its sector or not."""
    one = vitaport.raw(six_channels, 300)
    full = vitaport.raw(six_channels[:4], 256, header_length=1024)  # 2048 bytes of data
    two = vitaport.raw(six_channels[1:3], 200, divisor=64)
    content = vitaport.padded(one) + full + bytes(512) + two + b"rest"
    recordings = read(content)
    assert [r.name for r in recordings] == ["talk-1", "talk-2", "talk-3"]
    assert [(len(r.emg_uv), r.rate_hz) for r in recordings] == [(300, 600), (256, 600), (200, 1200)]
    np.testing.assert_array_equal(
        recordings[2].emg_uv[:, 0], six_channels[1].physical[:200].astype(np.float32)
    )
    assert [r.name for r in read(vitaport.padded(one) + two[:300])] == ["talk"]
    texts = describe(content)
    assert texts["recording 3, scan divisor"] == "64, 1200 Hz"


@pytest.mark.parametrize("kind", ["converted", "raw"])
@pytest.mark.parametrize("data_type", [130, 154])
def test_events_of_a_marker_channel(read, vitaport, six_channels, kind, data_type):
    """Each press of the button is one event at its time, also where the channel is slow."""
    values = [0, 3, 3, 3, 0, 0, 7, 8, 8, 0, *[0] * 63, 1, 1]
    marker = vitaport.Channel(
        b"Marker", values, b"mrk", data_type, 1, scan=2, store=2, mul=0, offset=9, div=0
    )
    channels = [*six_channels[:3], marker, *six_channels[3:]]
    content = vitaport.converted(channels) if kind == "converted" else vitaport.raw(channels, 300)
    (recording,) = read(content)
    assert len(recording.channels) == 6
    assert recording.markers == (
        Marker(4, "3"),
        Marker(24, "7"),
        Marker(28, "8"),
        Marker(292, "1"),
    )


def test_events_of_the_tables(read, vitaport, six_channels):
    """Events that were set afterwards are kept, with the time that was written."""
    tables = (
        vitaport.table(b"CHSETN", range(10), 10)
        + vitaport.table(b"MRK500", [250, 101], 500)
        + vitaport.table(b"MARKER", [10], 100)
    )
    (recording,) = read(vitaport.converted(six_channels, tables=tables))
    assert recording.markers == (
        Marker(6, "MARKER 10 ms"),
        Marker(61, "MRK500 101 ms"),
        Marker(150, "MRK500 250 ms"),
    )


def test_odd_names_and_units(read, vitaport):
    """A label is what was typed into the recorder, and can be told from the others."""
    counts = [32767, 42767]
    names = [b"EMG\x00zz", b"EMG   ", b"emg \xe4\x01", b"\x00" * 6, b"EMG"]
    units = [b"uV", b"mV", b"\xe6V ", b"\xb5V", b"V"]
    channels = [vitaport.Channel(n, counts, u) for n, u in zip(names, units, strict=True)]
    (recording,) = read(vitaport.converted(channels))
    assert [c.label for c in recording.channels] == [
        "EMG",
        "EMG (2)",
        "emg Σ\N{REPLACEMENT CHARACTER}",
        "channel 4",
        "EMG (5)",
    ]
    assert {c.unit for c in recording.channels[:3]} == {"uV"}
    assert recording.channels[3] == Channel("channel 4", "uV", "AUX")
    np.testing.assert_allclose(recording.emg_uv[1], [1297, 1297e3, 1297, 1297, 1297e6])


def test_without_names_the_unit_decides(read, vitaport):
    """A recording whose channels were never named is EMG where it is in microvolts."""
    channels = [
        vitaport.Channel(b"ch1", [0, 1]),
        vitaport.Channel(b"temp", [0, 1], b"C"),
        vitaport.Channel(b"ch2", [0, 1], b"\xe6V"),
        vitaport.Channel(b"MARKER", [0, 0], b"uV"),
    ]
    (recording,) = read(vitaport.converted(channels))
    assert [c.type for c in recording.channels] == ["EMG", "TEMP", "EMG"]
    with pytest.raises(RecordingError, match=r"got temp \(C\), MARKER \(uV\); allowed: one whose"):
        read(vitaport.converted(channels[1::2]))


def test_an_ecg_is_no_emg(read, describe, vitaport):
    """A Varioport's raw file of an ECG, pulse and breath, with a battery: none is a muscle."""
    ticks = 512
    rng = np.random.default_rng(2)

    def channel(name, every, unit, **more):
        high = 256 ** more.get("width", 2)
        counts = rng.integers(0, high, -(-ticks // every)).tolist()
        return vitaport.Channel(name, counts, unit, scan=every, **more)

    channels = [
        channel(b"ekg", 1, b"uV"),
        channel(b"resp", 1, b"%", width=1),
        channel(b"f.puls", 1, b"mV", width=1),
        channel(b"MARKER", 128, b"", data_type=130, width=1),
        channel(b"batt", 64, b"mV", data_type=131, width=1, mul=387, div=10),
    ]
    content = vitaport.raw(channels, ticks, divisor=300, data_length=512 + 6000)
    (recording,) = read(content)
    assert recording.channels == (
        Channel("ekg", "uV", "ECG"),
        Channel("resp", "%", "RESP"),
        Channel("f.puls", "uV", "AUX"),
    )
    assert (recording.rate_hz, len(recording.emg_uv)) == (256, ticks)
    # 8 bits cannot have the middle of 16 bits
    np.testing.assert_allclose(
        recording.emg_uv[:, 1], np.array(channels[1].counts) * 0.1297, rtol=1e-6
    )
    np.testing.assert_allclose(recording.emg_uv[:, 0], channels[0].physical, rtol=1e-5, atol=1e-3)
    texts = describe(content)
    assert texts["truncated"].endswith("bytes that the header claims are not in the file")
    assert texts["channel batt"] == (
        "4 Hz, (raw - 0) * 387 / 10 mV, left out: has 4 Hz, not the EMG's rate, its offset 32767"
        " is none of 8 bits"
    )
    assert texts["trust"].startswith("verified on one public file for demultiplexing and time")


@pytest.mark.parametrize("unit", [b"", b"a.u.", b"%"])
@pytest.mark.parametrize("name", [b"EMG1", b"chin"])
def test_an_unknown_unit_is_refused_as_in_any_file(read, vitaport, name, unit):
    """A guess could be wrong by a factor of a thousand."""
    channel = vitaport.Channel(name, [32767, 42767], unit)
    with pytest.raises(RecordingError, match=r"unit of channel .*recordings\.unit=uV"):
        read(vitaport.raw([channel], 2))
    (recording,) = read(vitaport.raw([channel], 2), unit="mV")
    assert recording.channels == (Channel(name.decode()),)
    np.testing.assert_allclose(recording.emg_uv[:, 0], [0, 1297e3])


def test_signed_and_narrow_samples(read, vitaport):
    """A recorder that writes signed or single bytes is read as well as any."""
    channels = [
        vitaport.Channel(b"EMG1", [-32768, 5, 32767], data_type=0, offset=3, mul=2, div=1),
        vitaport.Channel(b"EMG2", [-128, 5, 127], data_type=0, width=1, offset=0, mul=1, div=2),
        vitaport.Channel(b"EMG3", [0, 128, 255], data_type=4, width=1, offset=128, mul=1, div=1),
    ]
    for content in (vitaport.converted(channels), vitaport.raw(channels, 3)):
        (recording,) = read(content)
        assert recording.emg_uv.T.tolist() == [
            [-65542, 4, 65528],
            [-64, 2.5, 63.5],
            [-128, 0, 127],
        ]


def test_a_scale_that_is_known_better(read, vitaport, six_channels):
    """EMG-UKA's 0.033 uV per count are not in any header."""
    for channel in six_channels:
        channel.mul = 0
    aux = vitaport.Channel(b"AUX", six_channels[0].counts, b"bar", mul=1, div=2)
    content = vitaport.converted([*six_channels, aux])
    with pytest.raises(
        RecordingError,
        match=r"scale of EMG channel EMG1 of talk.vpd: got 0 / 10000 'uV'.*emg_scale",
    ):
        read(content)
    (recording,) = read(content, emg_scale_uv=0.033)
    counts = np.array(six_channels[2].counts) - 32767
    np.testing.assert_allclose(recording.emg_uv[:, 2], counts * 0.033, rtol=1e-6)
    np.testing.assert_allclose(recording.emg_uv[:, 6], aux.physical, rtol=1e-6)
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(RecordingError, match="EMG scale: got .*; allowed: microvolts above 0"):
            read(content, emg_scale_uv=scale)


def test_nothing_is_left_out_in_silence(describe, vitaport, six_channels):
    """What a file holds beside the EMG, and why it is not there, can be asked."""
    channels = [
        *six_channels[:2],
        vitaport.Channel(b"EDA", [1] * 75, b"uS", store=4),
        vitaport.Channel(b"odd", [1] * 300, data_type=77),
        vitaport.Channel(b"none", [1] * 300, b"C", div=0),
        vitaport.Channel(b"short", [1] * 299, b"C"),
        vitaport.Channel(b"AUX", [1] * 300, b"C"),
        vitaport.Channel(b"MARKER", [0] * 300, b"mrk", 130, 1),
    ]
    channels[1].counts = channels[1].counts[:290]
    channels[5].counts = channels[5].counts[:280]
    assert describe(vitaport.converted(channels)) == {
        "kind": "converted, channel by channel",
        "recorder": "4711",
        "versions": "software 311, hardware 1286, system 56",
        "checksum": "0xabcd, not verified: its algorithm is not public",
        "trust": "emulator-only: the reader knows the layout, but has met no file of a real device",
        "recorded at": "2013-12-24 13:45:59",
        "scan divisor": "128, 600 Hz",
        "channel EMG1": "600 Hz, (raw - 32767) * 1297 / 10000 uV, EMG",
        "channel EMG2": "600 Hz, (raw - 32767) * 1297 / 10000 uV, EMG",
        "channel EDA": "150 Hz, (raw - 32767) * 1297 / 10000 uS, left out: has 150 Hz, not the"
        " EMG's rate",
        "channel odd": "600 Hz, (raw - 32767) * 1297 / 10000 uV, left out: data type 77 of 2"
        " bytes is not known",
        "channel none": "600 Hz, (raw - 32767) * 1297 / 0 C, left out: its scale is 1297 / 0",
        "channel short": "600 Hz, (raw - 32767) * 1297 / 10000 C, left out: is shorter than the"
        " EMG",
        "channel AUX": "600 Hz, (raw - 32767) * 1297 / 10000 C, AUX",
        "channel MARKER": "600 Hz, (raw - 0) * 1297 / 10000 mrk, events",
        "left out, EMG behind the end of the shortest channel": "10 samples",
    }


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"\x31\x12\x99", b"\x23\x59\x59", datetime(1999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
        (b"\x01\x01\x68", b"\x00\x00\x00", datetime(2068, 1, 1)),  # noqa: DTZ001
        (b"\x01\x01\x69", b"\x00\x00\x00", datetime(1969, 1, 1)),  # noqa: DTZ001
        (b"\x00\x00\x00", b"\x00\x00\x00", None),
        (b"\x1a\x01\x10", b"\x00\x00\x00", None),
    ],
)
def test_dates_of_two_digits(read, vitaport, six_channels, date, time, expected):
    """A recording is dated right, or not at all."""
    (recording,) = read(vitaport.converted(six_channels, date=date, time=time))
    assert recording.recorded_at == expected
