"""Faults on request: a test that injects a wrong number of them proves nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SourceError
from drivers.varioport.codec import make_decoder, make_encoder
from drivers.varioport.emulator.faults import Faults, FaultyLine, Pause, parse_faults
from drivers.varioport.profile import FRAMED

SHARES = st.sampled_from([0.0, 0.01, 0.2])


def frames_of(n: int, first_count: int = 0) -> list[bytes]:
    emg = np.random.default_rng(1).normal(0, 30, (n, 6)).astype(np.float32)
    return make_encoder(FRAMED, first_count).encode(emg)


def test_nothing_happens_unasked():
    """An emulator without faults is a perfect line."""
    frames = frames_of(50)
    line = FaultyLine(Faults())
    assert line.send(frames) == b"".join(frames)
    assert line.send([]) == b""
    assert (line.injected.whole_frames, line.injected.lost_frames) == (50, 0)


@given(
    lost=SHARES,
    garbage=SHARES,
    flipped=SHARES,
    duplicates=SHARES,
    half=st.booleans(),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    seed=st.integers(0, 99),
)
def test_same_seed_same_damage(lost, garbage, flipped, duplicates, half, sizes, seed):
    """A failure that was seen once can be seen again, at whatever pace the frames come."""
    faults = Faults(lost, garbage, flipped, duplicates, half_frame=half, seed=seed)
    frames = frames_of(200)
    at_once, in_parts = FaultyLine(faults), FaultyLine(faults)
    whole = at_once.send(frames)
    parts, begin, turn = [], 0, 0
    while begin < len(frames):
        size = sizes[turn % len(sizes)] or turn % 2
        parts.append(in_parts.send(frames[begin : begin + size]))
        begin, turn = begin + size, turn + 1
    assert b"".join(parts) == whole
    assert in_parts.injected == at_once.injected


@given(lost=SHARES, garbage=SHARES, flipped=SHARES, duplicates=SHARES, seed=st.integers(0, 99))
def test_whole_frames_are_those_that_can_be_found(lost, garbage, flipped, duplicates, seed):
    """The truth that drivers are measured against is the truth."""
    frames = frames_of(100)
    damaged = FaultyLine(Faults(lost, garbage, flipped, duplicates, seed=seed)).damage(frames)
    begin = 0
    for frame, end, whole in zip(frames, damaged.ends, damaged.whole, strict=True):
        assert (frame in damaged.data[begin:end]) == whole
        begin = end
    assert begin == len(damaged.data)


def test_each_fault_is_counted():
    """What the emulator says it did is what arrives."""
    frames = frames_of(2000)
    size = sum(map(len, frames))

    line = FaultyLine(Faults(lost_bytes=0.01))
    assert len(line.send(frames)) == size - line.injected.lost_bytes
    assert line.injected.lost_bytes == pytest.approx(0.01 * size, rel=0.2)

    line = FaultyLine(Faults(garbage_bytes=0.01))
    assert len(line.send(frames)) == size + line.injected.garbage_bytes
    assert line.injected.garbage_bytes == pytest.approx(0.01 * size, rel=0.2)

    line = FaultyLine(Faults(flipped_bits=0.01))
    sent, arrived = np.frombuffer(b"".join(frames), np.uint8), line.send(frames)
    turned = np.unpackbits(sent ^ np.frombuffer(arrived, np.uint8))
    assert turned.sum() == line.injected.flipped_bits
    assert line.injected.flipped_bits == pytest.approx(0.01 * size, rel=0.2)

    line = FaultyLine(Faults(duplicates=0.1))
    assert len(line.send(frames)) == size + line.injected.duplicated_frames * len(frames[0])
    assert line.injected.duplicated_frames == pytest.approx(200, rel=0.2)
    assert line.injected.lost_frames == 0

    line = FaultyLine(Faults(half_frame=True))
    assert line.send(frames) == b"".join(frames)[len(frames[0]) // 2 :]
    assert (line.injected.half_frames, line.injected.lost_frames) == (1, 0)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(lost_bytes=0.01),
        Faults(garbage_bytes=0.01),
        Faults(flipped_bits=0.01),
        Faults(duplicates=0.1),
        Faults(lost_bytes=0.01, garbage_bytes=0.01, flipped_bits=0.01, duplicates=0.05),
        Faults(half_frame=True),
    ],
)
def test_the_decoder_finds_what_was_lost(faults: Faults):
    """Every missing sample is counted, every other one delivered."""
    line = FaultyLine(faults)
    decoder = make_decoder(FRAMED)
    frames = frames_of(20_000, first_count=65_000)
    for begin in range(0, len(frames), 100):
        decoder.push(line.send(frames[begin : begin + 100]))
    # The last frames may wait for what follows. A lost last byte that equals the first one
    # of the next frame is replaced by it: which of the two was lost, nobody can tell.
    assert abs(line.injected.whole_frames - decoder.counts.frames) <= 3
    assert abs(line.injected.lost_frames - decoder.counts.lost_frames) <= 3


def test_losses_are_those_between_whole_frames():
    """What no driver can know, nobody asks of it: losses before the first and after the last."""
    line = FaultyLine(Faults())
    for whole in ([0, 0], [0, 1, 1, 0], [0], [0, 1], [0, 0]):
        line.count(np.array(whole, bool))
    assert (line.injected.lost_frames, line.injected.whole_frames) == (3, 3)
    line.connect()
    line.count(np.array([0, 1], bool))
    assert line.injected.lost_frames == 3


def test_faults_are_read_as_they_are_written():
    """The command line's spelling means what it says."""
    faults = parse_faults(
        ["lost-bytes=0.01", "unplug=10:1.5", "drift-ppm=-100", "half-frame", "first-count=-20"]
    )
    assert faults == Faults(
        lost_bytes=0.01,
        unplug=Pause(10, 1.5),
        drift_ppm=-100,
        half_frame=True,
        first_count=-20,
    )
    assert parse_faults([]) == Faults()
    assert parse_faults(["burst-ms=16", "stall=5:1", "late=7:0.5", "seed=3"]) == Faults(
        burst_ms=16, stall=Pause(5, 1), late=Pause(7, 0.5), seed=3
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rain=1", "allowed: lost-bytes=P, garbage-bytes=P"),
        ("lost-bytes", "allowed: lost-bytes=P"),
        ("lost-bytes=much", "got 'much'; allowed: lost-bytes=P"),
        ("lost-bytes=1.5", "allowed: 0 to 1"),
        ("lost-bytes=nan", "allowed: 0 to 1"),
        ("unplug=10", "allowed: unplug=EVERY:LASTING"),
        ("unplug=1:2", "0 < LASTING < EVERY"),
        ("stall=nan:1", "0 < LASTING < EVERY"),
        ("half-frame=perhaps", "allowed: half-frame=yes|no"),
        ("seed=1.5", "allowed: seed=N"),
    ],
)
def test_a_mistake_is_one_line(text: str, says: str):
    """Who mistypes a fault reads what is allowed."""
    with pytest.raises(SourceError) as caught:
        parse_faults([text])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fault_is_given_once():
    """Of two contradicting values none is dropped silently."""
    with pytest.raises(SourceError, match="a second time"):
        parse_faults(["seed=1", "seed=2"])


def test_pauses_come_again():
    """The first one after EVERY seconds, so that a session has begun by then."""
    time_s = np.array([0.0, 0.5, 9.9, 10.0, 11.4, 11.5, 20.0, 21.6])
    covered = Pause(10, 1.5).covers(time_s)
    assert covered.tolist() == [False, False, False, True, True, False, True, False]
