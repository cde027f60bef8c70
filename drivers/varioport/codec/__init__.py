"""Bytes to frames and back: pure computing, without ports and clocks.

``framed``, ``multiplex``
    The decoders, and what each of them can prove.
``frames``
    What a decoder hands out, and the contract of every decoder.
``encoder``
    Frames as a device makes them.
``layout``, ``checksum``
    Where things are in a frame.
``losses``
    How many frames are missing, where no counter tells.
"""

from drivers.varioport.codec.encoder import Encoder
from drivers.varioport.codec.framed import FramedDecoder
from drivers.varioport.codec.frames import Decoder, DecoderCounts, Frames
from drivers.varioport.codec.multiplex import MultiplexDecoder
from drivers.varioport.profile import Profile

__all__ = ["Decoder", "DecoderCounts", "Encoder", "Frames", "make_decoder", "make_encoder"]


def make_decoder(profile: Profile) -> Decoder:
    """Make the decoder that a profile needs."""
    if profile.framing == "framed":
        return FramedDecoder(profile)
    return MultiplexDecoder(profile)


def make_encoder(profile: Profile, first_count: int = 0) -> Encoder:
    """Make the encoder of a profile; `first_count` is the counter of its first frame."""
    return Encoder(profile, first_count)
