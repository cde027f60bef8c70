"""Encoding, decoding and checksums, whatever the framing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.source import Marker
from drivers.varioport.codec import make_decoder, make_encoder
from drivers.varioport.codec.checksum import Checksum
from drivers.varioport.profile import (
    CHECKSUM_BYTES,
    FORMAT_BYTES,
    FRAMED,
    MULTIPLEX,
    Counter,
    Profile,
    ProfileChannel,
)

CHECK = {  # of "123456789", from the catalogue of CRC algorithms; sums by hand
    "none": 0,
    "sum8": 0xDD,
    "xor8": 0x31,
    "crc16-ccitt": 0x29B1,
    "crc16-xmodem": 0x31C3,
    "crc16-modbus": 0x4B37,
    "crc32": 0xCBF43926,
}


def _with(profile: Profile, **changes: object) -> Profile:
    return Profile.model_validate(dict(profile) | changes)


@pytest.mark.parametrize("kind", CHECKSUM_BYTES)
def test_checksums_are_those_of_the_catalogue(kind):
    """A device that uses a well-known checksum is understood."""
    checksum = Checksum(kind, 9)
    message = b"123456789"
    assert checksum.of_one(message) == CHECK[kind]
    many = np.frombuffer(message + bytes(9) + message, np.uint8).reshape(3, 9)
    assert checksum.of(many).tolist() == [CHECK[kind], checksum.of_one(bytes(9)), CHECK[kind]]


@pytest.mark.parametrize("kind", CHECKSUM_BYTES)
@given(messages=st.lists(st.binary(min_size=7, max_size=7), min_size=1, max_size=5))
def test_one_and_many_checksums_agree(kind, messages):
    """Clean and damaged stretches of a stream are judged alike."""
    checksum = Checksum(kind, 7)
    many = np.frombuffer(b"".join(messages), np.uint8).reshape(-1, 7)
    assert checksum.of(many).tolist() == [checksum.of_one(m) for m in messages]


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("kind", FORMAT_BYTES)
def test_every_format_comes_back(kind, order):
    """Negative, largest and smallest counts of every format are what they were."""
    channel = ProfileChannel(label="A", type="AUX", format=kind)
    profile = _with(FRAMED, byte_order=order, channels=(channel, channel.model_copy(
        update={"label": "B", "offset": 3.0, "scale": -0.5})))  # fmt: skip
    bits = 8 * FORMAT_BYTES[kind]
    if kind == "float32":
        raw = np.array([-1.5, 0.0, 1e-20, 3e20], np.float32)
    elif kind.startswith("u"):
        raw = np.array([0, 1, 2**bits - 256 if bits > 24 else 2**bits - 1], np.float32)
    else:
        top = 2 ** (bits - 1)
        raw = np.array([-top, -1, 0, 1, top - 128 if bits > 24 else top - 1], np.float32)
    samples = np.column_stack([raw, (raw - np.float32(3)) * np.float32(-0.5)])
    if kind == "float32":
        samples[:, 1] = [0.5, 1.5, -2.5, 4.0]
    encoder = make_encoder(profile)
    stream = b"".join(encoder.encode(samples))
    assert encoder.clipped == 0
    (frames,) = make_decoder(profile).push(stream)
    assert frames.samples.dtype == np.float32
    np.testing.assert_array_equal(frames.samples, samples)


def test_the_bytes_of_a_frame_are_where_the_profile_says():
    """A profile means what its documentation says: sync, counter, channels, checksum."""
    profile = _with(
        FRAMED,
        byte_order="little",
        counter=Counter(bytes=4, step=2),
        channels=(
            ProfileChannel(label="A", format="int24"),
            ProfileChannel(label="M", type="MARKER", format="uint8", unit=""),
            ProfileChannel(label="B", format="int16", scale=0.5),
        ),
        checksum="sum8",
    )
    encoder = make_encoder(profile, first_count=0x01020304)
    samples = np.array([[-2, 1], [0x123456, 0]], np.float32)
    first, second = encoder.encode(samples, np.array([9, 0]))
    assert first.hex() == "a55a04030201feffff090200" + f"{sum(first[:-1]) & 255:02x}"
    assert second[2:6].hex() == "06030201"
    assert second[6:9].hex() == "563412"


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX], ids=lambda p: p.name)
def test_counts_of_the_corpus_come_back_bit_for_bit(profile):
    """Features of the emulated device and of the file are the same, sample for sample."""
    counts = np.arange(-32767, 32768).astype(np.int16)
    counts = np.resize(np.random.default_rng(0).permutation(counts), (12000, 6))
    counts = (counts * (0.1 if profile is MULTIPLEX else 1)).astype(np.int16)  # EMG, not noise
    emg_uv = counts * np.float32(0.033)  # as the reader of EMG-UKA does
    encoder, decoder = make_encoder(profile), make_decoder(profile)
    decoded = decoder.push(b"".join(encoder.encode(emg_uv)))
    assert encoder.clipped == 0
    got = np.concatenate([frames.samples for frames in decoded])
    assert got.dtype == np.float32
    # the multiplex decoder lets the first frames go while it proves its alignment
    skipped = decoder.counts.skipped_bytes // profile.frame_bytes
    np.testing.assert_array_equal(got, emg_uv[skipped : skipped + len(got)])
    assert len(got) >= len(emg_uv) - 20


@given(values=st.lists(st.floats(-1000, 1000, width=32), min_size=6, max_size=6))
def test_any_value_comes_back_within_half_a_count(values):
    """Encoding adds no more than the resolution of the format."""
    samples = np.array([values], np.float32)
    (frames,) = make_decoder(FRAMED).push(b"".join(make_encoder(FRAMED).encode(samples)))
    np.testing.assert_allclose(frames.samples, samples, rtol=1e-6, atol=0.033 / 2)


def test_what_does_not_fit_is_clipped_and_counted():
    """An amplifier's full scale is no wrap-around, and nobody is left in the dark."""
    samples = np.array([[2000, -2000, np.inf, 0, 0, 0]], np.float32)
    encoder = make_encoder(FRAMED)
    (frames,) = make_decoder(FRAMED).push(b"".join(encoder.encode(samples, np.array([70000]))))
    assert encoder.clipped == 4
    expected = np.array([32767, -32768, 32767, 0, 0, 0]) * np.float32(0.033)
    np.testing.assert_array_equal(frames.samples[0], expected.astype(np.float32))
    assert frames.markers == (Marker(0, "65535"),)
    assert encoder.encode(samples[:0]) == []
    with pytest.raises(ValueError, match="lost"):
        encoder.encode(np.full((1, 6), np.nan, np.float32))


def test_markers_are_runs_and_know_their_past():
    """An event that lies across two deliveries is one event."""
    values = np.array([0, 5, 5, 0, 7, 8, 8, 8, 0, 8])
    stream = make_encoder(FRAMED).encode(np.zeros((len(values), 6), np.float32), values)
    whole = make_decoder(FRAMED).push(b"".join(stream))
    assert whole[0].markers == (Marker(1, "5"), Marker(4, "7"), Marker(5, "8"), Marker(9, "8"))
    decoder = make_decoder(FRAMED)
    single = [frames.markers for frame in stream for frames in decoder.push(frame)]
    assert [[m.label for m in markers] for markers in single] == [
        [], ["5"], [], [], ["7"], ["8"], [], [], [], ["8"]
    ]  # fmt: skip
    assert all(m.index == 0 for markers in single for m in markers)
