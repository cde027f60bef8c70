"""A profile from a capture, with what it rests on."""

from collections import Counter as Multiset
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from drivers.source import Provenance
from drivers.varioport.codec import make_decoder
from drivers.varioport.guess.alignment import (
    FEWEST_FRAMES,
    LONGEST_FRAME,
    Path,
    find_length,
    find_path,
)
from drivers.varioport.guess.columns import (
    FoundCounter,
    constant_columns,
)
from drivers.varioport.guess.reading import Reading, find_reading, refusal
from drivers.varioport.guess.words import Word
from drivers.varioport.profile import Counter, Profile, ProfileChannel
from drivers.varioport.transport.capture_file import Capture

_FEWEST_BYTES = 1500
_USUAL_RATE_HZ = 600.0
_LEAST_TIME_S = 5.0
_BAUD_RATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1_000_000, 2_000_000)
_BITS_PER_BYTE = 10
_NEAR_MIDDLE = 0.02
_SURE_BITS = 3.0
_LONGEST_SYNC = 4  # that is believed
_DECODED_BYTES = 400_000


@dataclass(frozen=True)
class Guess:
    """What a capture says about its device.

    Attributes
    ----------
    profile : Profile
        Status ``guessed``; the evidence tells from which capture and how.
    findings : tuple of str
        A line for each part of the frame, with how sure it is.
    confidence : float
        0 to 1: the share of the capture that the profile decodes, less for whatever
        nothing in the frame proves.
    """

    profile: Profile
    findings: tuple[str, ...]
    confidence: float


def guess_profile(capture: Capture) -> Guess:
    """Propose a profile from what a device sent.

    Electrodes on skin, or at least open inputs, and half a minute or more: channels that
    rest look like padding. Scale, labels and units cannot be known from bytes.

    Parameters
    ----------
    capture : Capture
        Raw bytes with their arrival.

    Returns
    -------
    Guess
        To be checked against the device before it is called verified.

    Raises
    ------
    SourceError
        The capture is too short, shows no frames, or frames that no profile describes.
    """
    data = np.frombuffer(capture.data, np.uint8)
    if len(data) < _FEWEST_BYTES:
        raise refusal(
            f"{len(data)} bytes",
            f"{_FEWEST_BYTES} bytes and {FEWEST_FRAMES} frames or more",
            "capture half a minute",
        )
    length = find_length(data)
    if length is None:
        raise refusal(
            f"no frames: no length of 2 to {min(LONGEST_FRAME, len(data) // FEWEST_FRAMES)}"
            f" bytes comes back in these {len(data)} bytes",
            None,
            "check the baud rate, or capture longer",
        )
    path = find_path(data, length)
    if (constant_columns(path.frames(0)[0]) >= 0).all():
        raise refusal(
            f"frames of {length} bytes that are all the same",
            "frames with a signal in them",
            "connect the electrodes, or move",
        )
    findings = [f"frame length: {length} bytes, from how often bytes come back (sure)"]
    reading = find_reading(path)
    rate_hz, rate_factor, rate_line = _find_rate(capture, path, reading)
    factor = rate_factor * _describe(reading, findings)
    findings.append(rate_line)
    profile = _profile(capture, reading, rate_hz, findings)
    decoded = _decoded_share(profile, capture.data)
    findings.append(f"trial: this profile decodes {decoded:.0%} of the capture")
    findings.append("labels, scale and unit: unknown, 1 count is shown as 1 uV")
    return Guess(profile, tuple(findings), round(factor * decoded, 2))


def _describe(reading: Reading, findings: list[str]) -> float:
    """Say what was found; return how far it is proven."""
    factor = 1.0
    if reading.sync:
        weak = len(reading.sync) == 1 and reading.counter is None and reading.checksum is None
        sure = "doubtful: one byte alone" if weak else "sure"
        if len(reading.sync) > _LONGEST_SYNC:
            weak, sure = True, "doubtful: so long, some of it may be channels at rest"
        findings.append(f"sync: {reading.sync.hex(' ')}, the same in every frame ({sure})")
        factor *= 0.3 if weak else 1.0
    else:
        findings.append("sync: none; frames end with a marker that rests at 0 (likely)")
        factor *= 0.7
    factor *= _describe_counter(reading, findings)
    if reading.checksum is not None:
        findings.append(
            f"checksum: {reading.checksum.kind} over all bytes before it,"
            f" right in {reading.checksum.share:.1%} of the frames (sure)"
        )
    else:
        findings.append("checksum: none of the known ones (likely); damage goes unnoticed")
        factor *= 0.9
    return factor * _describe_words(reading, findings)


def _describe_counter(reading: Reading, findings: list[str]) -> float:
    counter = reading.counter
    if reading.stray:
        findings.append(
            "counter: one elsewhere than right behind the sync, or its upper byte never"
            " changed; it is left out (doubtful)"
        )
        return 0.5
    if counter is None:
        findings.append("counter: none found (likely)")
        return 1.0 if not reading.sync else 0.9
    order = {True: ", big-endian", False: ", little-endian", None: ""}[counter.big_endian]
    sure = "sure" if counter.carries >= 2 and not counter.assumed else "likely"
    line = f"counter: {counter.bytes} bytes{order}, step {counter.step},"
    line += f" {counter.carries} carries seen ({sure})"
    if counter.assumed:
        line += f"; its {counter.assumed} upper bytes never changed"
    findings.append(line)
    return 1.0 if sure == "sure" else 0.9


def _describe_words(reading: Reading, findings: list[str]) -> float:
    words = reading.words
    formats = Multiset(word.format for word in words.words)
    text = ", ".join(f"{n} x {name}" for name, n in formats.items())
    noisy = sum(word.noisy for word in words.words)
    resting = sum(word.resting for word in words.words)
    sure, factor = "likely", 1.0
    if noisy:
        sure, factor = f"doubtful: {noisy} of them jump like noise", 0.3
    elif resting > 1 or resting == len(words.words):
        # Nothing tells the width of what is always 0.
        sure, factor = f"doubtful: {resting} of them rest at 0", 0.2
    findings.append(f"channels: {text}, the smoothest reading ({sure})")
    order = "big" if words.big_endian else "little"
    if words.order_margin == np.inf:
        findings.append(f"byte order: {order}, as counter or checksum have it (sure)")
    elif words.order_margin > _SURE_BITS:
        findings.append(f"byte order: {order}, the other one jumps (likely)")
    else:
        findings.append(f"byte order: {order}; nothing tells it from the other (unknown)")
        if any(word.format[-2:] != "t8" for word in words.words):
            factor *= 0.5
    return factor


def _find_rate(capture: Capture, path: Path, reading: Reading) -> tuple[float, float, str]:
    """Frames a second, from the longest stretch in which the port was not lost."""
    edges = [0, *capture.losses, len(capture.ends)]
    stretches = [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b - a > 1]
    if not stretches:
        return _USUAL_RATE_HZ, 0.8, f"rate: unknown, {_USUAL_RATE_HZ:g} Hz is assumed"
    time_s, ends = capture.arrival_s, capture.ends
    a, b = max(stretches, key=lambda s: time_s[s[1] - 1] - time_s[s[0]])
    passed_s = float(time_s[b - 1] - time_s[a])
    if passed_s <= 0:
        return _USUAL_RATE_HZ, 0.8, f"rate: unknown, {_USUAL_RATE_HZ:g} Hz is assumed"
    byte_rate = float(np.polyfit(time_s[a:b] - time_s[a], ends[a:b], 1)[0])
    measured_hz = byte_rate * path.sent_frames / len(path.data) * _counts_per_frame(reading)
    rate_hz = next(
        (
            round(measured_hz / grid) * grid
            for grid, off in ((100.0, 0.01), (10.0, 0.005), (1.0, 0.001))
            if round(measured_hz / grid) > 0
            and abs(round(measured_hz / grid) * grid / measured_hz - 1) < off
        ),
        round(measured_hz, 2),
    )
    sure = "likely" if passed_s >= _LEAST_TIME_S else "uncertain: a short capture"
    line = f"rate: {rate_hz:g} Hz, {measured_hz:.2f} frames a second in {passed_s:.1f} s ({sure})"
    return rate_hz, 1.0 if passed_s >= _LEAST_TIME_S else 0.9, line


def _counts_per_frame(reading: Reading) -> float:
    """Less than 1 where frames came twice, more where whole ones are missing."""
    if reading.counter is None:
        return 1.0
    found = reading.counter
    lowest = found.first + (found.bytes - 1 if found.big_endian else 0)
    pairs = np.flatnonzero(reading.follows)
    counts = reading.frames[:, lowest]
    grown = counts[pairs] - counts[pairs - 1]  # modulo 256
    steps = [np.mean(grown == k * found.step % 256) for k in range(4)]
    return float(np.dot(steps, np.arange(4)) / np.sum(steps))


def _profile(capture: Capture, reading: Reading, rate_hz: float, findings: list[str]) -> Profile:
    """Put the profile together."""
    header = capture.header
    baud_rate = header.baud_rate
    needed = reading.frames.shape[1] * rate_hz * _BITS_PER_BYTE
    if baud_rate < needed:
        baud_rate = next((rate for rate in _BAUD_RATES if rate >= needed), int(np.ceil(needed)))
        findings.append(
            f"baud rate: {baud_rate}; the {header.baud_rate} of the capture cannot carry this"
        )
    counter = reading.counter
    try:
        return Profile(
            name="guessed",
            status=Provenance.GUESSED,
            evidence=(
                f"Guessed from {len(capture.data)} bytes captured at {header.port}"
                f" from {header.started:%Y-%m-%d %H:%M}, {header.baud_rate} baud: "
                + "; ".join(findings)
                + ". Scale, labels and units are unknown."
            ),
            framing="framed" if reading.sync else "multiplex",
            rate_hz=rate_hz,
            baud_rate=baud_rate,
            byte_order="big" if reading.words.big_endian else "little",
            sync=reading.sync,
            counter=None if counter is None else _counter(counter),
            channels=_channels(reading.words.words, findings),
            checksum="none" if reading.checksum is None else reading.checksum.kind,
        )
    except ValidationError as error:
        raise refusal(
            f"frames of {reading.frames.shape[1]} bytes that no profile describes:"
            f" {error.errors()[0]['msg'].removeprefix('Value error, ')}",
            None,
            "capture again, with rest and with contractions",
        ) from None


def _counter(found: FoundCounter) -> Counter:
    return Counter.model_validate({"bytes": found.bytes, "step": found.step})


def _channels(words: tuple[Word, ...], findings: list[str]) -> tuple[ProfileChannel, ...]:
    """Name the channels; the last word that rests is the marker."""
    resting = [k for k, word in enumerate(words) if word.resting]
    marker = resting[-1] if resting and len(words) > 1 else None
    channels = []
    offset_lines = []
    for k, word in enumerate(words):
        if k == marker:
            marked = {"label": "MARKER", "unit": "", "type": "MARKER", "format": word.format}
            channels.append(ProfileChannel.model_validate(marked))
            continue
        offset = _offset(word)
        label = f"EMG{len(channels) + 1}"
        if offset:
            offset_lines.append(f"{label} {offset:g}")
        channels.append(
            ProfileChannel.model_validate({"label": label, "format": word.format, "offset": offset})
        )
    if marker is not None:
        findings.append(f"marker: word {marker + 1} of {len(words)}, it rests at 0 (likely)")
    if offset_lines:
        findings.append(
            f"offset: {', '.join(offset_lines)}, from the middle of the values (likely)"
        )
    return tuple(channels)


def _offset(word: Word) -> float:
    """Raw value of 0 uV: an unsigned signal rests in the middle of its range."""
    if not word.format.startswith("uint") or word.resting:
        return 0.0
    span = 2.0 ** int(word.format.removeprefix("uint"))
    if abs(word.level - span / 2) < _NEAR_MIDDLE * span:
        return span / 2 - 1  # as in the device's RAW files
    return float(round(word.level))


def _decoded_share(profile: Profile, data: bytes) -> float:
    """Share of the capture that becomes samples."""
    data = data[:_DECODED_BYTES]
    decoder = make_decoder(profile)
    decoder.push(data)
    return min(1.0, decoder.counts.frames * profile.frame_bytes / len(data))
