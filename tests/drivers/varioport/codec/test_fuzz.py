"""Random and mutated frames into each codec: a hundred thousand, and a million of the slow."""

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.varioport.codec import make_decoder, make_encoder
from drivers.varioport.profile import FRAMED, MULTIPLEX, Counter, Profile

COUNTS = [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)]
PUSH_BYTES = 1 << 18
NOISE = -(10**9)  # origin of a byte that belongs to no frame

Octets = NDArray[np.uint8]
Origin = NDArray[np.int64]


def _frames(profile: Profile, n: int) -> Octets:
    """Encode frames that are all different."""
    rng = np.random.default_rng(0)
    counts = rng.integers(-9000, 9000, (n, 6)).astype(np.float32)
    counts[:, 0] = np.arange(n) % 16384  # neighbours are never alike
    samples = counts * np.float32(0.033)
    if profile is MULTIPLEX:
        samples = (rng.normal(0, 40, (n, 6)) + rng.uniform(-400, 400, 6)).astype(np.float32)
    encoded = make_encoder(profile, first_count=60000).encode(samples)
    return np.frombuffer(b"".join(encoded), np.uint8).reshape(n, profile.frame_bytes)


def _mutate(frames: Octets, share: float) -> tuple[Octets, Origin]:
    """Lose, change, repeat and insert; return the bytes and where each one comes from.

    The origin of a byte is its place in the undamaged stream. A changed one is `NOISE`.
    """
    rng = np.random.default_rng(1)
    n, size = frames.shape
    order = np.arange(n)
    order = np.delete(order, np.flatnonzero(rng.random(n) < share))  # whole frames lost
    outage = n // 30
    for start in rng.integers(0, len(order) - 4 * outage, 3):  # and very many, three times
        order = np.delete(order, slice(start, start + outage))
    order = np.repeat(order, 1 + (rng.random(len(order)) < share))  # frames that come twice
    octets = frames[order].ravel()
    origin = (order[:, None] * size + np.arange(size)).ravel()
    total = len(octets)
    changed = np.flatnonzero(rng.random(total) < share / size)
    octets[changed] ^= rng.integers(1, 256, len(changed)).astype(np.uint8)
    origin[changed] = NOISE
    lost = np.zeros(total, bool)  # bytes, in bursts of up to 30
    starts = np.flatnonzero(rng.random(total) < share / size)
    for offset in range(30):
        reach = starts[rng.random(len(starts)) < 0.8**offset] + offset
        lost[reach[reach < total]] = True
    octets, origin = octets[~lost], origin[~lost]
    places = np.flatnonzero(rng.random(len(octets)) < share / size)
    places = np.repeat(places, rng.integers(1, 40, len(places)))
    noise = rng.integers(0, 256, len(places)).astype(np.uint8)
    return np.insert(octets, places, noise), np.insert(origin, places, NOISE)


def _intact(octets: Octets, origin: Origin, frames: Octets) -> NDArray[np.int64]:
    """Return the numbers of the frames that came through whole, each once.

    Content decides: noise may by chance be the very byte that is missing at an end.
    """
    size = frames.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(octets, size)
    first, last = origin[: len(windows)], origin[size - 1 :]
    found = []
    for ends, offset in ((first, 0), (last, size - 1)):
        starts = np.flatnonzero((ends >= 0) & (ends % size == offset))
        numbers = ends[starts] // size
        found.append(numbers[(windows[starts] == frames[numbers]).all(axis=1)])
    return np.unique(np.concatenate(found))


def _pushes(octets: Octets) -> list[bytes]:
    return [octets[i : i + PUSH_BYTES].tobytes() for i in range(0, len(octets), PUSH_BYTES)]


@pytest.mark.parametrize("count", COUNTS)
def test_framed_delivers_every_intact_frame_and_counts_the_others(count):
    """Each good frame arrives, no damaged one does, and what is missing is known exactly."""
    frames = _frames(FRAMED, count)
    octets, origin = _mutate(frames, 0.05)
    intact = _intact(octets, origin, frames)
    decoder = make_decoder(FRAMED)
    decoded = [f for piece in _pushes(octets) for f in decoder.push(piece)]
    expected = frames[intact, 4:16].copy().view(">i2") * np.float32(0.033)
    np.testing.assert_array_equal(np.concatenate([f.samples for f in decoded]), expected)
    lengths = np.array([len(f.samples) for f in decoded])
    firsts = np.cumsum(lengths) - lengths
    injected = np.diff(intact, prepend=intact[0] - 1) - 1
    reported = np.zeros(len(intact), int)
    reported[firsts] = [f.lost_before for f in decoded]
    np.testing.assert_array_equal(reported, injected)
    assert decoder.counts.lost_frames == injected.sum() > count * 0.15
    assert not any(f.lost_estimated for f in decoded)
    assert decoder.counts.repeated_frames > 0.03 * count


@pytest.mark.parametrize(
    ("changes", "most_wrong"),
    [
        ({"checksum": "crc16-modbus", "byte_order": "little"}, 1),
        ({"checksum": "crc16-ccitt", "counter": None}, 1),
        ({"counter": Counter(bytes=1, step=3)}, 0),
        ({"checksum": "sum8"}, 15),
        ({"checksum": "none"}, 800),  # all whose channels were changed
        ({"checksum": "none", "counter": None}, 800),
    ],
    ids=["crc16", "crc16-no-counter", "short-counter", "sum", "none", "none-no-counter"],
)
def test_weaker_profiles_let_no_more_through_than_they_say(changes, most_wrong):
    """Who chooses a frame without a checksum knows what that means."""
    profile = FRAMED.model_copy(update=changes)
    n = 16_000
    frames = _frames(profile, n)
    octets, _ = _mutate(frames, 0.05)
    right = np.concatenate([f.samples for f in make_decoder(profile).push(frames.tobytes())])
    decoder = make_decoder(profile)
    decoded = [f for piece in _pushes(octets) for f in decoder.push(piece)]
    samples = np.concatenate([f.samples for f in decoded])
    numbers = np.rint(samples[:, 0] / np.float32(0.033)).astype(int).clip(0, len(right) - 1)
    wrong = np.count_nonzero((samples != right[numbers]).any(axis=1))
    assert wrong <= most_wrong
    assert decoder.counts.frames == len(samples) > 0.6 * n


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX], ids=lambda p: p.name)
@pytest.mark.parametrize("count", COUNTS)
def test_frames_of_nothing(profile, count):
    """Noise on an open line gives no sample."""
    rng = np.random.default_rng(2)
    decoder = make_decoder(profile)
    noise = rng.integers(0, 256, (count, profile.frame_bytes), dtype=np.uint8)
    noise[: count // 2, : len(profile.sync)] = np.frombuffer(profile.sync, np.uint8)
    for piece in _pushes(noise.ravel()):
        assert decoder.push(piece) == []
    assert decoder.counts.frames == 0
    assert profile is MULTIPLEX or decoder.counts.checksum_errors >= count // 2


@pytest.mark.parametrize("count", COUNTS)
def test_multiplex_hands_out_no_shifted_frame(count):
    """Where nothing tells a frame but its content, a hole still swaps no channels."""
    frames = _frames(MULTIPLEX, count)
    size = MULTIPLEX.frame_bytes
    rng = np.random.default_rng(3)
    # a hole or a burst every 60 frames, of any size that is no whole number of frames
    places = np.arange(30, count - 60, 60) * size
    places += rng.integers(0, 20 * size, len(places))
    sizes = rng.integers(1, size, len(places)) + size * rng.integers(0, 4, len(places))
    gained = rng.random(len(places)) < 0.5
    octets, origin = frames.ravel(), np.arange(frames.size)
    change = np.zeros(frames.size + 1, int)
    np.add.at(change, places[~gained], 1)
    np.add.at(change, (places + sizes)[~gained], -1)
    kept = np.cumsum(change[:-1]) == 0
    at = np.cumsum(kept)[np.repeat(places[gained], sizes[gained])]
    noise = rng.integers(0, 256, len(at)).astype(np.uint8)
    octets, origin = np.insert(octets[kept], at, noise), np.insert(origin[kept], at, NOISE)
    decoder = make_decoder(MULTIPLEX)
    wrong = 0
    for piece in _pushes(octets):
        for handed in decoder.push(piece):
            rows = len(handed.samples)
            from_ = origin[handed.end - rows * size : handed.end].reshape(rows, size)
            wrong += np.count_nonzero(
                (np.diff(from_, axis=1) != 1).any(axis=1) | (from_[:, 0] % size != 0)
            )
    assert wrong == 0
    assert decoder.counts.frames > 0.8 * count
    assert decoder.counts.alignment_losses == len(places)


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX], ids=lambda p: p.name)
@pytest.mark.parametrize("count", COUNTS)
def test_mutated_frames_raise_nothing(profile, count):
    """Damage everywhere at once is survived, and afterwards all is well again."""
    octets, _ = _mutate(_frames(profile, count), 0.3)
    decoder = make_decoder(profile)
    for piece in _pushes(octets):
        decoder.push(piece)
    before = decoder.counts.frames
    decoder.push(_frames(profile, 100).tobytes())
    assert decoder.counts.frames >= before + 80
