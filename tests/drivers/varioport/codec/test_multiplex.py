"""Words without sync: found by what EMG looks like, and never handed out unproven."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.source import Marker
from drivers.varioport.codec import Decoder, Frames, make_decoder, make_encoder
from drivers.varioport.codec.multiplex import PROOF, WINDOW
from drivers.varioport.profile import FRAMED, MULTIPLEX, Profile

SIZE = MULTIPLEX.frame_bytes
CORPUS = Path(__file__).resolve().parents[4] / "data" / "emg-uka" / "emg"
FILES = sorted(CORPUS.glob("*/*/*.adc"))
corpus = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FILES, reason="no EMG-UKA recordings in data/emg-uka"),
]
LITTLE = MULTIPLEX.model_copy(
    update={
        "byte_order": "little",
        "channels": tuple(
            c if c.type == "MARKER" else c.model_copy(update={"format": "int16", "offset": 0.0})
            for c in MULTIPLEX.channels
        ),
    }
)

Octets = NDArray[np.uint8]


def _stream(
    n: int, sd_uv: float = 50.0, marker: int = 0, profile: Profile = MULTIPLEX, seed: int = 0
) -> Octets:
    """Noise on six large offsets, as bytes."""
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-400, 400, 6) + rng.normal(0, sd_uv, (n, 6))
    markers = np.full(n, marker)
    encoded = make_encoder(profile).encode(samples.astype(np.float32), markers)
    return np.frombuffer(b"".join(encoded), np.uint8)


def _recorded(path: Path, marker: int | None) -> Octets:
    """A recording as the device would send it; the marker as recorded, or all the same."""
    words = np.fromfile(path, "<i2").reshape(-1, 7).astype(np.int64) + 32767
    if marker is not None:
        words[:, 6] = marker
    return np.frombuffer(words.clip(0).astype(">u2").tobytes(), np.uint8)


def _wrong(decoded: list[Frames], origin: NDArray[np.int64]) -> int:
    """Count frames that are not one frame of the original; `origin` is the place of each byte."""
    wrong = 0
    for frames in decoded:
        n = len(frames.samples)
        places = origin[frames.end - n * SIZE : frames.end].reshape(n, SIZE)
        whole = (np.diff(places, axis=1) == 1).all(axis=1) & (places[:, 0] % SIZE == 0)
        wrong += int(np.count_nonzero(~whole))
    return wrong


def _damage(
    octets: Octets, rng: np.random.Generator, every: int, *, gained: bool
) -> tuple[Octets, NDArray[np.int64], int]:
    """Cut bytes out, or put random ones in, never a whole number of frames."""
    frames = np.cumsum(rng.integers(40, 2 * every, 2 * len(octets) // SIZE // every))
    places = frames * SIZE + rng.integers(0, SIZE, len(frames))
    places = places[places < len(octets) - SIZE]
    sizes = rng.integers(1, SIZE, len(places)) + SIZE * rng.integers(0, 4, len(places))
    origin = np.arange(len(octets))
    if gained:
        at = np.repeat(places, sizes)
        noise = rng.integers(0, 256, len(at)).astype(np.uint8)
        return np.insert(octets, at, noise), np.insert(origin, at, -(10**9)), len(places)
    change = np.zeros(len(octets) + 1, int)
    np.add.at(change, places, 1)
    np.add.at(change, np.minimum(places + sizes, len(octets)), -1)
    kept = np.cumsum(change[:-1]) == 0
    return octets[kept], origin[kept], len(places)


@pytest.mark.parametrize("profile", [MULTIPLEX, LITTLE], ids=["big", "little"])
@pytest.mark.parametrize("marker", [0, 1, 127, 255])
@pytest.mark.parametrize("sd_uv", [0.5, 5, 50, 300])
def test_frames_are_found_wherever_the_stream_begins(sd_uv, marker, profile):
    """Quiet or loud, marked or not: plugging in at any moment gives the right channels."""
    octets = _stream(200, sd_uv, marker, profile)
    for begin in range(SIZE):
        decoder = make_decoder(profile)
        decoded = decoder.push(octets[begin:].tobytes())
        assert _wrong(decoded, np.arange(begin, len(octets))) == 0
        assert decoder.counts.frames >= 200 - 20
        assert decoder.counts.alignment_losses == decoder.counts.lost_frames == 0
        assert decoder.confidence > 0.99


def test_nothing_is_handed_out_before_alignment_is_proven():
    """The first sample that a listener sees is a sample."""
    octets = _stream(60)
    decoder = make_decoder(MULTIPLEX)
    for frame in range(WINDOW + PROOF - 1):
        assert decoder.push(octets[frame * SIZE : (frame + 1) * SIZE].tobytes()) == []
        assert decoder.confidence == 0
    (first,) = decoder.push(octets[(WINDOW + PROOF - 1) * SIZE : 20 * SIZE].tobytes())
    assert first.lost_before == 0
    assert not first.lost_estimated
    assert first.end == (20 - decoder.hold_back_frames) * SIZE
    later = decoder.push(octets[20 * SIZE : 21 * SIZE].tobytes())
    assert [f.end for f in later] == [(21 - decoder.hold_back_frames) * SIZE]


@pytest.mark.parametrize(
    "data",
    [
        bytes(20000),
        b"\xff" * 20000,
        b"\x7f\xff" * 10000,
        bytes(range(256)) * 80,
        np.random.default_rng(0).bytes(200_000),
        b"".join(make_encoder(FRAMED).encode(np.zeros((900, 6), np.float32))),
    ],
    ids=["zeros", "ones", "mid-scale", "counting", "random", "framed"],
)
def test_what_is_no_emg_is_not_handed_out(data):
    """A wrong baud rate or a wrong profile gives silence, not nonsense."""
    decoder = make_decoder(MULTIPLEX)
    assert decoder.push(data) == []
    assert decoder.confidence == 0


def test_silence_at_mid_scale_is_found():
    """A simulator that sends nothing but zeros is understood."""
    decoder = make_decoder(MULTIPLEX)
    encoded = make_encoder(MULTIPLEX).encode(np.zeros((100, 6), np.float32))
    decoded = decoder.push(b"".join(encoded)[5:])
    assert sum(len(f.samples) for f in decoded) > 80
    assert not any(f.samples.any() for f in decoded)


@pytest.mark.parametrize("place", range(SIZE))
@pytest.mark.parametrize("marker", [0, 5])
def test_a_lost_byte_costs_a_few_samples_and_no_wrong_one(place, marker):
    """One overrun must not swap the channels, not even for a sample."""
    octets = _stream(100, marker=marker)
    origin = np.delete(np.arange(len(octets)), 50 * SIZE + place)
    decoder = make_decoder(MULTIPLEX)
    decoded = decoder.push(octets[origin].tobytes())
    assert _wrong(decoded, origin) == 0
    assert [f.lost_estimated for f in decoded] == [False, True]
    assert decoder.counts.alignment_losses == decoder.counts.resynchronisations == 1
    # before the hole at most the window, behind it at most one more
    before = decoded[0].end // SIZE
    behind = (origin[decoded[1].end - len(decoded[1].samples) * SIZE]) // SIZE
    assert 50 - WINDOW <= before <= 51
    assert behind <= 50 + 1 + WINDOW + 1
    assert decoded[1].lost_before == behind - before


def test_markers_are_events_and_do_no_harm():
    """Marking an utterance does not interrupt it."""
    rng = np.random.default_rng(0)
    samples = rng.normal(100, 30, (300, 6)).astype(np.float32)
    values = np.zeros(300, int)
    values[100:150], values[150], values[200:] = 3, 255, 9
    decoder = make_decoder(MULTIPLEX)
    (frames,) = decoder.push(b"".join(make_encoder(MULTIPLEX).encode(samples, values)))
    first = decoder.counts.skipped_bytes // SIZE
    assert frames.markers == (
        Marker(100 - first, "3"),
        Marker(150 - first, "255"),
        Marker(200 - first, "9"),
    )


def test_a_stall_loses_alignment_until_it_is_proven_again():
    """Behind a stall nothing is taken for granted, and time says how much is missing."""
    octets = _stream(400)
    decoder = make_decoder(MULTIPLEX)
    before = decoder.push(octets[: 100 * SIZE].tobytes(), 100.0)
    decoder.lose_alignment()
    assert decoder.confidence == 0
    few = octets[300 * SIZE + 3 : 305 * SIZE]
    assert decoder.push(few.tobytes(), 205.0) == []
    (behind,) = decoder.push(octets[305 * SIZE :].tobytes(), 95.0)
    origin = np.r_[0 : 100 * SIZE, 300 * SIZE + 3 : len(octets)]
    assert _wrong([*before, behind], origin) == 0
    assert behind.lost_estimated
    assert decoder.counts.alignment_losses == 1
    first = origin[behind.end - len(behind.samples) * SIZE] // SIZE
    assert behind.lost_before == pytest.approx(first - before[-1].end // SIZE, abs=1)
    decoder.reset()
    assert decoder.push(octets.tobytes())[0].lost_before == 0


def test_a_hole_that_nobody_announced_is_seen_in_time():
    """A buffer that overflows loses whole frames: the clock notices more than 0.1 s."""
    octets = _stream(1000)
    decoder = make_decoder(MULTIPLEX)
    for frame in range(0, 300, 6):
        decoder.push(octets[frame * SIZE : (frame + 6) * SIZE].tobytes(), 6.0)
    lost: list[int] = []
    start = 600 * SIZE + 5
    for k in range(40):
        piece = octets[start + k * 6 * SIZE : start + (k + 1) * 6 * SIZE].tobytes()
        lost += [f.lost_before for f in decoder.push(piece, 306.0 if k == 0 else 6.0)]
    assert lost[0] == pytest.approx(300 + 2 * WINDOW, abs=2)


@pytest.mark.parametrize("gained", [False, True], ids=["lost", "gained"])
@pytest.mark.parametrize("marker", [0, 4])
@pytest.mark.parametrize("sd_uv", [3, 60])
def test_no_shifted_sample_is_handed_out(sd_uv, marker, gained):
    """Hundreds of holes and bursts of garbage, and not one wrong sample."""
    octets = _stream(60_000, sd_uv, marker)
    damaged, origin, events = _damage(octets, np.random.default_rng(2), 80, gained=gained)
    decoder = make_decoder(MULTIPLEX)
    decoded = decoder.push(damaged.tobytes())
    assert events > 500
    assert _wrong(decoded, origin) == 0
    assert decoder.counts.frames > 60_000 - 20 * events
    assert decoder.counts.alignment_losses == events


def _flat(decoder: Decoder, pieces: list[bytes]) -> tuple[object, ...]:
    rows: list[list[float]] = []
    losses, ends = [], []
    for piece in pieces:
        for frames in decoder.push(piece):
            if frames.lost_before or frames.lost_estimated:
                losses.append((len(rows), frames.lost_before, frames.lost_estimated))
            rows += frames.samples.tolist()
            ends.append(frames.end)
    return rows, losses, ends[-1:], decoder.counts, decoder.confidence


@settings(max_examples=40)
@given(data=st.data())
def test_any_pieces_give_the_same_frames(data):
    """What arrives does not depend on how the operating system cuts it."""
    seed = data.draw(st.integers(0, 2**32))
    octets = _stream(150, marker=seed % 2, seed=seed)
    if data.draw(st.booleans()):
        octets, _, _ = _damage(octets, np.random.default_rng(seed), 45, gained=bool(seed & 2))
    whole = octets.tobytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=60)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert _flat(make_decoder(MULTIPLEX), pieces) == _flat(make_decoder(MULTIPLEX), [whole])


def _each_of_the_corpus(marker: int | None) -> list[Octets]:
    return [_recorded(path, marker) for path in FILES[::30]]


@pytest.mark.parametrize("marker", [pytest.param(m, marks=corpus) for m in (None, 0)])
def test_real_recordings_are_found_and_never_lost(marker):
    """Real offsets, artefacts and saturation do not break the alignment."""
    for octets in _each_of_the_corpus(marker):
        decoder = make_decoder(MULTIPLEX)
        decoded = decoder.push(octets[3:].tobytes())
        assert _wrong(decoded, np.arange(3, len(octets))) == 0
        assert decoder.counts.alignment_losses == 0
        assert decoder.counts.frames > len(octets) // SIZE - 25


@pytest.mark.parametrize("gained", [False, True], ids=["lost", "gained"])
@pytest.mark.parametrize("marker", [pytest.param(m, marks=corpus) for m in (None, 0)])
def test_no_shifted_sample_of_a_real_recording_is_handed_out(marker, gained):
    """What holds for noise holds for muscles."""
    rng = np.random.default_rng(0)
    delivered = total = 0
    for octets in _each_of_the_corpus(marker):
        damaged, origin, events = _damage(octets, rng, 60, gained=gained)
        decoder = make_decoder(MULTIPLEX)
        decoded = decoder.push(damaged.tobytes())
        assert _wrong(decoded, origin) == 0
        delivered += decoder.counts.frames
        total += len(octets) // SIZE
    assert delivered > 0.7 * total
