"""Frames with sync, counter and checksum: found again after any damage, losses counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.varioport.codec import Decoder, Frames, make_decoder, make_encoder
from drivers.varioport.codec.framed import REPEATS
from drivers.varioport.profile import FRAMED, Counter, Profile

SIZE = FRAMED.frame_bytes
SHORT_COUNTER = FRAMED.model_copy(update={"counter": Counter(bytes=1)})
NO_COUNTER = FRAMED.model_copy(update={"counter": None})
NO_CHECKSUM = FRAMED.model_copy(update={"checksum": "none"})
SUM = FRAMED.model_copy(update={"checksum": "sum8"})
BARE = FRAMED.model_copy(update={"counter": None, "checksum": "none"})
ALL = [FRAMED, SHORT_COUNTER, NO_COUNTER, NO_CHECKSUM, SUM, BARE]


def _samples(n: int) -> np.ndarray:
    """Noise with the number of the sample in channel 1, in counts."""
    counts = np.random.default_rng(1).integers(-3000, 3000, (n, 6))
    counts[:, 0] = np.arange(n)
    return counts * np.float32(0.033)


def _encode(n: int, profile: Profile = FRAMED, first_count: int = 0) -> list[bytes]:
    return make_encoder(profile, first_count).encode(_samples(n).astype(np.float32))


def _numbers(frames: Frames) -> list[int]:
    return np.rint(frames.samples[:, 0] / np.float32(0.033)).astype(int).tolist()


def _received(decoded: list[Frames]) -> list[int]:
    return [number for frames in decoded for number in _numbers(frames)]


def _check_losses(decoded: list[Frames]) -> None:
    """Every step between deliveries is what `lost_before` says."""
    last = None
    for frames in decoded:
        numbers = _numbers(frames)
        assert np.diff(numbers).tolist() == [1] * (len(numbers) - 1)
        if last is not None:
            assert numbers[0] - last - 1 == frames.lost_before
        last = numbers[-1]


@pytest.mark.parametrize("first_count", [0, 65500, 2**16 - 1])
def test_a_clean_stream_is_one_piece_across_the_wrap(first_count):
    """After 109 s the counter wraps: nothing is lost then."""
    decoder = make_decoder(FRAMED)
    (frames,) = decoder.push(b"".join(_encode(100, first_count=first_count)))
    assert _numbers(frames) == list(range(100))
    assert (frames.lost_before, frames.lost_estimated, frames.end) == (0, False, 100 * SIZE)
    assert decoder.counts.frames == 100
    assert decoder.confidence == 1.0
    assert decoder.hold_back_frames == 0


def test_half_a_frame_at_the_start_is_no_loss():
    """Plugging in does not begin with a false alarm."""
    decoder = make_decoder(FRAMED)
    (frames,) = decoder.push(b"".join(_encode(5))[SIZE // 2 :])
    assert _numbers(frames) == [1, 2, 3, 4]
    assert frames.lost_before == 0
    assert decoder.counts.skipped_bytes == SIZE - SIZE // 2
    assert decoder.counts.alignment_losses == decoder.counts.resynchronisations == 0


@pytest.mark.parametrize("first_count", [0, 65531])
@pytest.mark.parametrize("place", range(SIZE))
def test_a_lost_byte_costs_its_frame_only(place, first_count):
    """One overrun of the serial port is one lost sample."""
    stream = _encode(9, first_count=first_count)
    stream[4] = stream[4][:place] + stream[4][place + 1 :]
    decoder = make_decoder(FRAMED)
    decoded = decoder.push(b"".join(stream))
    assert _received(decoded) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert [f.lost_before for f in decoded] == [0, 1]
    assert [f.end for f in decoded] == [4 * SIZE, 9 * SIZE - 1]
    counts = decoder.counts
    assert (counts.frames, counts.lost_frames, counts.skipped_bytes) == (8, 1, SIZE - 1)
    assert (counts.alignment_losses, counts.resynchronisations) == (1, 1)
    assert 0.5 < decoder.confidence < 1


@pytest.mark.parametrize("profile", [FRAMED, NO_CHECKSUM, SUM], ids=["crc", "none", "sum"])
def test_garbage_between_frames_is_no_loss(profile):
    """Noise on the line that destroys no frame costs none, where a counter can tell."""
    stream = _encode(6, profile)
    stream[3] = b"\xa5\x5a\xa5" + bytes(20) + stream[3]
    decoder = make_decoder(profile)
    decoded = decoder.push(b"".join(stream))
    received = _received(decoded)
    _check_losses(decoded)
    # without a checksum of 16 bits the frame before garbage has nothing that confirms it
    assert received == ([0, 1, 2, 3, 4, 5] if profile is FRAMED else [0, 1, 3, 4])
    assert decoder.counts.lost_frames == (0 if profile is FRAMED else 1)


def test_every_changed_bit_is_noticed():
    """A damaged sample never passes for a good one."""
    stream = _encode(3)
    for bit in range(8 * SIZE):
        damaged = bytearray(stream[1])
        damaged[bit // 8] ^= 1 << bit % 8
        decoder = make_decoder(FRAMED)
        decoded = decoder.push(stream[0] + bytes(damaged) + stream[2])
        assert _received(decoded) == [0, 2]
        assert decoder.counts.lost_frames == 1
        assert decoder.counts.checksum_errors == (bit >= 16)


def test_repeated_frames_are_dropped_and_counted():
    """A driver of the operating system that sends a buffer twice makes no extra time."""
    stream = _encode(60)
    order = [0, 1, 1, 2, 3, 4, 2, 3, 4, 5, *range(5, 50), *range(49 - REPEATS + 1, 60)]
    decoder = make_decoder(FRAMED)
    decoded = decoder.push(b"".join(stream[i] for i in order))
    assert _received(decoded) == list(range(60))
    assert decoder.counts.repeated_frames == len(order) - 60
    assert decoder.counts.lost_frames == decoder.counts.skipped_bytes == 0


def test_lost_frames_are_counted_exactly_up_to_the_wrap():
    """An outage of a minute and a half is known to the sample."""
    stream = _encode(5) + [b""] * 3
    far = make_encoder(FRAMED, first_count=65535 + 4).encode(np.zeros((2, 6), np.float32))
    decoder = make_decoder(FRAMED)
    decoded = decoder.push(b"".join(stream + far))
    assert [f.lost_before for f in decoded] == [0, 65534]
    assert not decoded[1].lost_estimated


@pytest.mark.parametrize("lost", [250, 254, 255, 256, 257, 600, 1023])
def test_an_outage_longer_than_the_wrap_is_resolved_by_time(lost):
    """A counter of one byte wraps every 0.4 s: the clock says how often it did."""
    stream = _encode(lost + 10, SHORT_COUNTER)
    for error in (-100, 0, 100):
        decoder = make_decoder(SHORT_COUNTER)
        first = decoder.push(b"".join(stream[:5]), 5.0)
        decoder.lose_alignment()
        (frames,) = decoder.push(b"".join(stream[lost + 5 :]), lost + 5.0 + error)
        _check_losses([*first, frames])
        assert not frames.lost_estimated


def test_a_late_host_loses_nothing():
    """Frames that follow each other do, however late this host got to read them."""
    stream = _encode(200, SHORT_COUNTER)
    decoder = make_decoder(SHORT_COUNTER)
    decoded = [f for frame in stream for f in decoder.push(frame, 600.0)]
    assert _received(decoded) == list(range(200))
    assert decoder.counts.lost_frames == 0


def test_a_device_that_counts_anew_does_not_lose_a_minute():
    """A counter that jumps against the clock was restarted: then time tells the loss."""
    stream = _encode(20, first_count=5000)
    again = make_encoder(FRAMED).encode(np.zeros((5, 6), np.float32))
    decoder = make_decoder(FRAMED)
    decoder.push(b"".join(stream), 20.0)
    (frames,) = decoder.push(b"".join(again), 304.0)
    assert (frames.lost_before, frames.lost_estimated) == (299, True)


def test_a_counter_may_go_in_steps():
    """Devices that count samples, milliseconds or channels are understood."""
    for step in (2, 3, 7, 40):
        profile = FRAMED.model_copy(update={"counter": Counter(bytes=1, step=step)})
        stream = _encode(100, profile)
        del stream[20:24]
        decoded = make_decoder(profile).push(b"".join(stream))
        assert [(f.lost_before, f.lost_estimated) for f in decoded] == [(0, False), (4, False)]
    odd = make_encoder(profile, first_count=1).encode(np.zeros((2, 6), np.float32))
    (first, *_, last) = make_decoder(profile).push(b"".join(stream[:5] + odd))
    assert (last.lost_before, last.lost_estimated) == (0, True)


def test_without_a_counter_losses_are_estimates_and_say_so():
    """A figure that is a guess is not shown as a count."""
    stream = _encode(30, NO_COUNTER)
    damaged = b"".join(stream[:10]) + b"".join(stream[10:14])[3:-2] + b"".join(stream[14:])
    decoder = make_decoder(NO_COUNTER)
    decoded = decoder.push(damaged)
    losses = [(f.lost_before, f.lost_estimated) for f in decoded]
    assert losses == [(0, False), (1, True), (1, True)]
    assert decoder.counts.lost_frames == 2
    assert _received(decoded) == [*range(10), 11, 12, *range(14, 30)]


def test_without_a_counter_a_stall_is_measured_by_time():
    """Half a second without data is 300 samples, though no byte tells."""
    stream = _encode(20, NO_COUNTER)
    decoder = make_decoder(NO_COUNTER)
    decoder.push(b"".join(stream[:10]), 10.0)
    decoder.lose_alignment()
    (frames,) = decoder.push(b"".join(stream[10:]), 310.0)
    assert (frames.lost_before, frames.lost_estimated) == (300, True)


@pytest.mark.parametrize("profile", [NO_CHECKSUM, SUM, BARE], ids=["none", "sum", "bare"])
def test_without_a_checksum_a_frame_needs_the_next_one(profile):
    """A shifted or shortened frame is not handed out even where nothing checks its content."""
    stream = _encode(12, profile)
    stream[5] = stream[5][:9] + stream[5][10:]
    decoder = make_decoder(profile)
    assert decoder.hold_back_frames == 1
    decoded = decoder.push(b"".join(stream))
    assert _received(decoded) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert decoder.counts.lost_frames == 1


def test_without_a_checksum_nothing_is_joined_across_a_hole():
    """Half of one frame and half of a later one are no frame."""
    for profile in (NO_CHECKSUM, BARE):
        stream = _encode(12, profile)
        decoder = make_decoder(profile)
        decoded = decoder.push(b"".join(stream[:4]) + stream[4][:10])
        decoder.lose_alignment()
        decoded += decoder.push(stream[6][10:] + b"".join(stream[7:]))
        assert _received(decoded) == [0, 1, 2, 3, 7, 8, 9, 10]
        assert decoder.counts.alignment_losses == 1


def test_a_sync_within_the_channels_is_no_frame():
    """A signal that looks like the sync bytes does no harm."""
    profile = NO_CHECKSUM
    raw = int.from_bytes(profile.sync, "big", signed=True)
    samples = np.full((20, 6), raw * np.float32(0.033), np.float32)
    stream = b"".join(make_encoder(profile).encode(samples))
    for begin in (0, 1, 5, 9):
        decoder = make_decoder(profile)
        (frames,) = decoder.push(stream[begin:])
        assert len(frames.samples) == 19 - (begin > 0)
        np.testing.assert_array_equal(frames.samples, samples[: len(frames.samples)])


def test_after_a_reset_everything_is_new():
    """A new connection knows nothing of the old one."""
    decoder = make_decoder(FRAMED)
    stream = _encode(10)
    decoder.push(b"".join(stream)[:-3])
    decoder.reset()
    (frames,) = decoder.push(b"".join(stream[5:]))
    assert (frames.lost_before, frames.end, decoder.counts.frames) == (0, 5 * SIZE, 5)


def _flat(decoder: Decoder, pieces: list[bytes]) -> tuple[object, ...]:
    """All that a decoder says, without the places where it was split."""
    rows: list[list[float]] = []
    markers, losses, ends = [], [], []
    for piece in pieces:
        for frames in decoder.push(piece):
            if frames.lost_before or frames.lost_estimated:
                losses.append((len(rows), frames.lost_before, frames.lost_estimated))
            markers += [(len(rows) + m.index, m.label) for m in frames.markers]
            rows += frames.samples.tolist()
            ends.append(frames.end)
    return rows, markers, losses, ends[-1:], decoder.counts


@settings(max_examples=60)
@given(data=st.data(), profile=st.sampled_from(ALL))
def test_any_pieces_give_the_same_frames(data, profile):
    """What arrives does not depend on how the operating system cuts it."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n = 40
    markers = rng.integers(0, 3, n).repeat(3)[:n]
    stream = make_encoder(profile, 240).encode(_samples(n).astype(np.float32), markers)
    for _ in range(data.draw(st.integers(0, 8))):
        at = int(rng.integers(0, len(stream)))
        kind = rng.integers(0, 4)
        if kind == 0:
            stream[at] = stream[at][: rng.integers(0, SIZE)]
        elif kind == 1:
            stream[at] = rng.bytes(int(rng.integers(1, 30))) + stream[at]
        elif kind == 2:
            stream[at] = stream[at] * 2
        else:
            stream[at] = bytes(b ^ int(rng.integers(0, 2)) for b in stream[at])
    whole = b"".join(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=60)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert _flat(make_decoder(profile), pieces) == _flat(make_decoder(profile), [whole])
