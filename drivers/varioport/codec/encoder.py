"""Samples to frames, as a device makes them."""

import numpy as np
from numpy.typing import NDArray

from drivers.source import Samples
from drivers.varioport.codec.checksum import Checksum
from drivers.varioport.codec.layout import FrameLayout
from drivers.varioport.profile import Profile


class Encoder:
    """Turns samples into the frames that a device would send.

    Parameters
    ----------
    profile : Profile
        What a frame looks like.
    first_count : int
        Counter of the first frame.

    Attributes
    ----------
    clipped : int
        Values so far that the format cannot hold, and that became the nearest one it can.
    """

    def __init__(self, profile: Profile, first_count: int = 0) -> None:
        self._profile = profile
        self._layout = FrameLayout(profile)
        self._checksum = Checksum(profile.checksum, profile.frame_bytes - profile.checksum_bytes)
        self._count = first_count
        self.clipped = 0

    def encode(self, samples: Samples, markers: NDArray[np.integer] | None = None) -> list[bytes]:
        """Encode samples; decoding gives them back within half a count.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, signal channels)
            Physical values.
        markers : ndarray of int, shape (n,), optional
            Values of the marker; None is zeros.

        Returns
        -------
        list of bytes
            One for each frame.

        Raises
        ------
        ValueError
            NaN, which stands for a lost sample: no device sends that.
        """
        if np.isnan(samples).any():
            raise ValueError("a lost sample (NaN) cannot be encoded; leave its frame out")
        profile, layout = self._profile, self._layout
        frames = np.zeros((len(samples), profile.frame_bytes), np.uint8)
        frames[:, : len(profile.sync)] = np.frombuffer(profile.sync, np.uint8)
        if profile.counter is not None and layout.counter is not None:
            wrap = 256**profile.counter.bytes
            counts = (self._count + np.arange(len(samples)) * profile.counter.step) % wrap
            layout.put_unsigned(frames, layout.counter, counts.astype(np.uint32))
            self._count = (self._count + len(samples) * profile.counter.step) % wrap
        self.clipped += layout.encode(frames, samples, markers)
        sums = self._checksum.of(frames[:, : layout.checksum.start])
        layout.put_unsigned(frames, layout.checksum, sums)
        return [frame.tobytes() for frame in frames]
