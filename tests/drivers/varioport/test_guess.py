"""From a capture to a profile: the owner of a device builds on what is said here."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import SourceError
from drivers.source import Provenance
from drivers.varioport.codec import make_encoder
from drivers.varioport.emulator.faults import Faults, FaultyLine
from drivers.varioport.guess import guess_profile
from drivers.varioport.profile import FRAMED, MULTIPLEX, Profile, load_profile, write_profile
from drivers.varioport.transport.capture_file import Capture, CaptureHeader

BLOCK = 10  # frames that arrive together


def capture_of(data: list[bytes], block_s: float, baud_rate: int = 115200) -> Capture:
    ends = np.cumsum([len(part) for part in data], dtype=np.int64)
    arrival_s = np.arange(1, len(data) + 1) * block_s
    header = CaptureHeader(
        port="/dev/ttyUSB0", baud_rate=baud_rate, started=datetime(2026, 11, 22, tzinfo=UTC)
    )
    return Capture(header, b"".join(data), ends, arrival_s, (), False)


def capture(
    profile: Profile,
    faults: Faults | None = None,
    *,
    frames: int = 900,
    uv: float = 30.0,
    markers: bool = True,
) -> Capture:
    """Simulated EMG, louder and softer, as a device of this profile sends it."""
    rng = np.random.default_rng(frames)
    channels = len(profile.signal_channels)
    noise = rng.normal(0, uv, (frames + 1, channels))
    envelope = 0.2 + np.abs(np.sin(np.arange(frames) / 400))
    emg = ((noise[1:] + noise[:-1]) * envelope[:, None]).astype(np.float32)
    values = np.zeros(frames, np.int64)
    if markers:
        for number, begin in enumerate(range(500, frames, 700), start=1):
            values[begin : begin + 6] = number
    sent = make_encoder(profile, 1000).encode(emg, values)
    line = FaultyLine(Faults() if faults is None else faults)
    data = [line.send(sent[begin : begin + BLOCK]) for begin in range(0, frames, BLOCK)]
    return capture_of(data, BLOCK / profile.rate_hz, profile.baud_rate)


def layout(name: str, channels: str, marker: str | None = "uint16", **keys: object) -> Profile:
    """A profile of `number x format` channels."""
    number, kind = channels.split(" x ")
    offset = 2.0 ** (int(kind[4:]) - 1) - 1 if kind.startswith("uint") else 0.0
    scale = {"8": 2.0, "6": 0.033, "4": 0.0005, "2": 0.0005}[kind[-1]]
    described: list[dict[str, object]] = [
        {"label": f"EMG{k}", "format": kind, "offset": offset, "scale": scale}
        for k in range(int(number))
    ]
    if marker:
        described.append({"label": "MARKER", "unit": "", "type": "MARKER", "format": marker})
    framed = {"framing": "framed", "rate_hz": 600, "baud_rate": 921600, "sync": "a55a"}
    return Profile.model_validate(
        framed
        | {"name": name, "status": "emulator-only", "evidence": "made up by this test"}
        | {"channels": described}
        | keys
    )


def shape(profile: Profile) -> tuple[object, ...]:
    """All that a capture can tell."""
    return (
        profile.framing,
        profile.byte_order if any(c.bytes > 1 for c in profile.channels) else None,
        profile.sync,
        profile.counter,
        [c.format for c in profile.channels],
        [c.offset for c in profile.channels],
        profile.marker_index,
        profile.checksum,
        profile.rate_hz,
    )


LAYOUTS = [
    layout("little-endian", "6 x int16", byte_order="little", counter={"bytes": 2}),
    layout("1-byte counter", "4 x int16", sync="a5", counter={"bytes": 1}, checksum="sum8"),
    layout("no marker", "6 x uint16", None, counter={"bytes": 1, "step": 2}, checksum="xor8"),
    layout("3-byte sync, 24 bits", "8 x int24", None, sync="0ff0aa", checksum="crc16-ccitt"),
    layout("24 bits, nothing else", "6 x uint24", None, byte_order="little"),
    layout("modbus", "6 x int16", byte_order="little", checksum="crc16-modbus"),
    layout("4-byte counter", "6 x int16", counter={"bytes": 4}, checksum="crc16-xmodem"),
    layout("8 bits", "6 x int8", "uint8", counter={"bytes": 1}, checksum="sum8"),
    layout("32 bits", "4 x int32", None, counter={"bytes": 2}, checksum="crc32"),
    layout("float", "4 x float32", None, byte_order="little", counter={"bytes": 2}),
    layout("sync alone", "6 x int16"),
    layout("2000 Hz", "1 x int16", None, counter={"bytes": 1}, rate_hz=2000),
    layout("other words", "3 x int16", framing="multiplex", byte_order="little", sync=""),
]


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX, *LAYOUTS], ids=lambda p: p.name)
def test_frames_are_recovered(profile: Profile):
    """Half a minute of bytes is enough to describe a device to the driver."""
    guess = guess_profile(capture(profile))
    assert shape(guess.profile) == shape(profile)
    assert guess.confidence > 0.4


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX, LAYOUTS[0]], ids=lambda p: p.name)
@pytest.mark.parametrize(
    "faults",
    [
        Faults(lost_bytes=0.01),
        Faults(lost_bytes=0.004, garbage_bytes=0.003, flipped_bits=0.003, half_frame=True),
    ],
    ids=["lost", "all"],
)
def test_one_byte_in_a_hundred_damaged(profile: Profile, faults: Faults):
    """A bad cable does not keep anyone from learning what the device sends."""
    guess = guess_profile(capture(profile, faults, frames=1500))
    assert shape(guess.profile) == shape(profile)


def test_it_says_how_it_knows(tmp_path: Path):
    """A guess is called one, in the file too, and says what cannot be known."""
    guess = guess_profile(capture(FRAMED))
    assert guess.profile.status is Provenance.GUESSED
    for told in ("/dev/ttyUSB0", "2026-11-22", "19800 bytes", "Scale, labels and units"):
        assert told in guess.profile.evidence
    text = "\n".join(guess.findings)
    for told in ("a5 5a", "22 bytes", "step 1", "crc32", "rate: 600 Hz", "unknown"):
        assert told in text
    assert all("\n" not in finding for finding in guess.findings)
    write_profile(guess.profile, tmp_path / "mine.yaml")
    assert load_profile(tmp_path / "mine.yaml") == guess.profile


@pytest.mark.parametrize("kind", ["random", "text", "zeros", "nothing", "short", "ramp"])
def test_no_frames_are_seen_where_there_are_none(kind: str):
    """A wrong baud rate gives noise: the user is told so, not given a profile."""
    rng = np.random.default_rng(3)
    data = {
        "random": rng.bytes(60_000),
        "text": Path(__file__).read_bytes(),
        "zeros": bytes(30_000),
        "nothing": b"",
        "short": capture(FRAMED, frames=60).data,
        "ramp": bytes(range(20)) * 200,
    }[kind]
    with pytest.raises(SourceError) as caught:
        guess_profile(capture_of([data], 1.0))
    assert "guess from the capture" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_never_a_confident_profile(seed: int):
    """Whatever structure chance shows, nobody is led to trust it."""
    data = np.random.default_rng(seed).bytes(4000)
    with pytest.raises(SourceError, match="no frames"):
        guess_profile(capture_of([data], 1.0))


def test_a_dead_signal_tells_little():
    """Electrodes that are not plugged in show no word width; the guess admits it."""
    guess = guess_profile(capture(FRAMED, uv=0.0, markers=False))
    assert guess.confidence <= 0.2
    assert any("doubtful" in finding for finding in guess.findings)
    with pytest.raises(SourceError, match="frames of 14 bytes that are all the same"):
        guess_profile(capture(MULTIPLEX, uv=0.0, markers=False))


def test_frames_that_no_profile_describes():
    """Without sync and marker there is nothing to align to, and that is what is said."""
    noise = np.random.default_rng(0).normal(0, 300, (4000, 6))
    words = (np.rint(noise[1:] + noise[:-1]) + 32767).astype(">u2")
    with pytest.raises(SourceError, match="frames of 12 bytes, but neither sync"):
        guess_profile(capture_of([words.tobytes()], 6.0))


def test_a_rate_needs_time():
    """Arrivals that say nothing about time give an assumption that is called one."""
    whole = capture(FRAMED)
    at_once = capture_of([whole.data], 0.0)
    guess = guess_profile(at_once)
    assert guess.profile.rate_hz == 600.0
    assert any("rate: unknown" in finding for finding in guess.findings)


def test_repeated_frames_do_not_count_twice():
    """A device that stammers samples no faster."""
    guess = guess_profile(capture(FRAMED, Faults(duplicates=0.05)))
    assert guess.profile.rate_hz == 600.0
