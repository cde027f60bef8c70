"""Bytes to samples: what decoding costs, and what damage does to it."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drivers.source import Samples
from drivers.varioport.codec import Decoder, make_decoder, make_encoder
from drivers.varioport.emulator.faults import Faults, FaultyLine
from drivers.varioport.profile import Profile
from streamer.bench.figure import Figure, Progress

DAMAGE = Faults(lost_bytes=5e-4, garbage_bytes=5e-4, flipped_bits=5e-4, duplicates=1e-3)
"""About one frame in thirty is hit."""

_PUSH_FRAMES = 3  # as many as the source collects
_PIECE_FRAMES = 5000


def cost(profile: Profile, emg_uv: Samples, seconds: float = 20.0) -> Figure:
    """Measure the share of one core that decoding takes, fed as the source feeds it.

    Parameters
    ----------
    profile : Profile
        How the bytes are framed.
    emg_uv : ndarray of float32, shape (n, channels)
        What is decoded, over and over.
    seconds : float
        EMG to decode.

    Returns
    -------
    Figure
        CPU time over the EMG's length.
    """
    frames = make_encoder(profile).encode(_tile(emg_uv, round(seconds * profile.rate_hz)))
    pushes = [b"".join(frames[k : k + _PUSH_FRAMES]) for k in range(0, len(frames), _PUSH_FRAMES)]
    decoder = make_decoder(profile)
    decoder.push(pushes[0])
    started_s = time.thread_time()
    for push in pushes[1:]:
        decoder.push(push)
    share = (time.thread_time() - started_s) / seconds
    return Figure(
        f"decode_{profile.name}_cpu_percent",
        100 * share,
        "%",
        1.0,
        f"one core's share that decoding '{profile.name}' takes at {profile.rate_hz:g} Hz",
    )


def fuzz(profile: Profile, emg_uv: Samples, frames: int, progress: Progress) -> list[Figure]:
    """Decode damaged frames and compare with what was sent.

    Parameters
    ----------
    profile : Profile
        How the bytes are framed.
    emg_uv : ndarray of float32, shape (n, channels)
        What is sent, over and over.
    frames : int
        How many.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        Wrong samples; for a profile with a counter also by how many frames the reported
        losses differ from those injected.
    """
    # Nothing in a frame without a checksum can tell a flipped bit.
    damage = DAMAGE if profile.checksum != "none" else replace(DAMAGE, flipped_bits=0.0)
    encoder, decoder, line = make_encoder(profile), make_decoder(profile), FaultyLine(damage)
    truth = Truth(emg_uv, counted=profile.counter is not None)
    for begin in range(0, frames, _PIECE_FRAMES):
        rows = np.arange(begin, min(begin + _PIECE_FRAMES, frames))
        data = line.send(encoder.encode(emg_uv[rows % len(emg_uv)]))
        _check(decoder, data, truth, len(rows))
        progress(f"fuzz {profile.name}", min(begin + _PIECE_FRAMES, frames), frames)
    name = f"fuzz_{profile.name}"
    figures = [
        Figure(f"{name}_wrong", truth.wrong, "", 0, f"wrong samples of {truth.samples} delivered"),
        Figure(
            f"{name}_kept_percent",
            100 * truth.samples / frames,
            "%",
            None,
            f"frames of {frames} delivered, {100 * line.injected.whole_frames / frames:.1f} %"
            " of them arrived whole",
        ),
    ]
    if profile.counter is not None:
        miscounted = abs(decoder.counts.lost_frames - line.injected.lost_frames)
        about = f"frames miscounted, of {line.injected.lost_frames} lost"
        figures.append(Figure(f"{name}_miscounted", miscounted, "", 0, about))
    return figures


class Truth:
    """Holds what was sent against what is delivered.

    Parameters
    ----------
    emg_uv : ndarray of float32, shape (n, channels)
        What is sent, over and over.
    counted : bool
        Losses are counted, so each sample has its place; otherwise it is enough that the
        same sample was sent at all.

    Attributes
    ----------
    samples, wrong : int
        Delivered; of these, those that were never sent there.
    """

    def __init__(self, emg_uv: Samples, *, counted: bool) -> None:
        self.samples = self.wrong = 0
        self._emg_uv = emg_uv
        self._counted = counted
        self._known = {row.tobytes() for row in emg_uv}
        self._next: int | None = None  # place of the next sample

    def begin(self) -> None:
        """Forget the place: the next samples may be from anywhere."""
        self._next = None

    def check(self, samples: Samples, lost_before: int) -> None:
        """Take delivered samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, channels)
            Without a loss between them.
        lost_before : int
            Samples lost before them.
        """
        self.samples += len(samples)
        if not self._counted:
            self.wrong += sum(row.tobytes() not in self._known for row in samples)
            return
        if self._next is None:
            self._next = self._find(samples)
        else:
            self._next += lost_before
        sent = self._emg_uv[(self._next + np.arange(len(samples))) % len(self._emg_uv)]
        self.wrong += int((sent != samples).any(axis=1).sum())
        self._next += len(samples)

    def _find(self, samples: Samples) -> int:
        """Return where these samples are; 0 where nowhere, and all will be wrong."""
        same: NDArray[np.bool_] = np.ones(len(self._emg_uv), np.bool_)
        for k, row in enumerate(samples[:20]):
            same &= (np.roll(self._emg_uv, -k, axis=0) == row).all(axis=1)
        return int(np.argmax(same))


def _check(decoder: Decoder, data: bytes, truth: Truth, frames: int) -> None:
    for delivered in decoder.push(data, frames):
        truth.check(delivered.samples, delivered.lost_before)


def _tile(emg_uv: Samples, length: int) -> Samples:
    return emg_uv[np.arange(length) % len(emg_uv)]
