"""Bytes to samples: what decoding costs, and what damage does to it."""

import time

import numpy as np
from numpy.typing import NDArray

from drivers.source import Samples
from drivers.varioport.codec import make_decoder, make_encoder
from drivers.varioport.emulator.faults import Faults, FaultyLine
from drivers.varioport.profile import Profile
from streamer.bench.figure import Figure, Progress

DAMAGE = Faults(lost_bytes=5e-4, garbage_bytes=5e-4, flipped_bits=5e-4, duplicates=1e-3)
"""About one frame in thirty is hit."""
LOST, GARBAGE = Faults(lost_bytes=1e-3), Faults(garbage_bytes=1e-3)
"""For frames without a header: where as many bytes come as are lost, nothing could tell."""

_PUSH_FRAMES = 3  # as many as the source collects
_PIECE_FRAMES = 5000
_TELLING = 20  # samples that no other place has alike
_GARBAGE_FRAMES = 50  # random bytes before each piece, in lengths of a frame
_COST_FRAMES = 12  # good ones that a hit may take with it where there is no header


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


def fuzz(
    name: str, profile: Profile, emg_uv: Samples, damage: Faults, frames: int, progress: Progress
) -> list[Figure]:
    """Decode damaged frames with random bytes between them, and compare with what was sent.

    Parameters
    ----------
    name : str
        The figures' names begin so.
    profile : Profile
        How the bytes are framed.
    emg_uv : ndarray of float32, shape (n, channels)
        What is sent, over and over; the profile holds all of it.
    damage : Faults
        What happens to the frames.
    frames : int
        How many.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        Wrong samples and whole frames that were not delivered; for a profile with a counter
        also by how many frames the reported losses differ from those injected.
    """
    counted = profile.counter is not None
    encoder, decoder, line = make_encoder(profile), make_decoder(profile), FaultyLine(damage)
    truth, random = Truth(emg_uv, counted=counted), np.random.default_rng(0)
    for begin in range(0, frames, _PIECE_FRAMES):
        rows = np.arange(begin, min(begin + _PIECE_FRAMES, frames))
        data = random.bytes(_GARBAGE_FRAMES * profile.frame_bytes)
        data += line.send(encoder.encode(emg_uv[rows % len(emg_uv)]))
        for delivered in decoder.push(data, _GARBAGE_FRAMES + len(rows)):
            truth.check(delivered.samples, delivered.lost_before)
        progress(name, begin + len(rows), frames)
    whole, lost = line.injected.whole_frames, line.injected.lost_frames
    about = f"wrong samples of {truth.samples} delivered, of {frames} frames '{profile.name}'"
    wrong = Figure(f"{name}_wrong", truth.wrong, "", 0, about)
    if not counted:
        hits = 1 + decoder.counts.alignment_losses  # it has to find the beginning too
        about = f"good frames that each of {hits} hits took with it"
        return [
            wrong,
            Figure(f"{name}_cost", (whole - truth.samples) / hits, "", _COST_FRAMES, about),
        ]
    missed = abs(whole - truth.samples)
    miscounted = abs(lost - decoder.counts.lost_frames)
    return [
        wrong,
        Figure(f"{name}_missed", missed, "", 0, f"not delivered, of {whole} that came whole"),
        Figure(f"{name}_miscounted", miscounted, "", 0, f"frames miscounted, of {lost} lost"),
    ]


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
    place : int or None
        Of the sample that comes next in what is sent; None where that is not known.
    """

    def __init__(self, emg_uv: Samples, *, counted: bool) -> None:
        self.samples = self.wrong = 0
        self._emg_uv = emg_uv
        self._counted = counted
        self._known = {row.tobytes() for row in emg_uv}
        self.place: int | None = None

    def begin(self) -> None:
        """Forget the place: the next samples may be from anywhere."""
        self.place = None

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
        if self.place is None:  # found nowhere, all will be wrong
            place = find(samples, self._emg_uv) or 0
        else:
            place = self.place + lost_before
        sent = self._emg_uv[(place + np.arange(len(samples))) % len(self._emg_uv)]
        self.wrong += int((sent != samples).any(axis=1).sum())
        self.place = (place + len(samples)) % len(self._emg_uv)


def find(samples: Samples, sent: Samples) -> int | None:
    """Say where samples were sent that are sent over and over.

    Parameters
    ----------
    samples : ndarray of float32, shape (n, channels)
        The first of them tell.
    sent : ndarray of float32, shape (m, channels)
        One round.

    Returns
    -------
    int or None
        Row of `sent`; None where it has no such samples, or none came.
    """
    same: NDArray[np.bool_] = np.ones(len(sent), np.bool_)
    for k, row in enumerate(samples[:_TELLING]):
        same &= (np.roll(sent, -k, axis=0) == row).all(axis=1)
    return int(np.argmax(same)) if len(samples) and same.any() else None


def _tile(emg_uv: Samples, length: int) -> Samples:
    return emg_uv[np.arange(length) % len(emg_uv)]
