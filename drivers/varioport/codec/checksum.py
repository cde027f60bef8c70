"""Checksums of frames, one or many at once.

Cyclic redundancy checks are affine in the bits of the message, so that the checksum of a
frame of fixed length is the exclusive or of one table entry a byte: for many frames there is
no loop over bytes.
Names and parameters are those of the CRC catalogue of G. Cook: ``crc16-ccitt`` is its
CRC-16/IBM-3740 (often called CCITT-FALSE), ``crc32`` its CRC-32/ISO-HDLC.
"""

import binascii
import functools
import operator
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drivers.varioport.profile import CHECKSUM_BYTES, ChecksumKind

Bytes = NDArray[np.uint8]


def _modbus_table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return table


_MODBUS = _modbus_table()


def _modbus(message: bytes) -> int:
    crc = 0xFFFF
    for byte in message:
        crc = crc >> 8 ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


_ONE: dict[str, Callable[[bytes], int]] = {
    "none": lambda message: 0,
    "sum8": lambda message: sum(message) & 0xFF,
    "xor8": lambda message: functools.reduce(operator.xor, message, 0),
    "crc16-ccitt": lambda message: binascii.crc_hqx(message, 0xFFFF),
    "crc16-xmodem": lambda message: binascii.crc_hqx(message, 0),
    "crc16-modbus": _modbus,
    "crc32": zlib.crc32,
}


class Checksum:
    """The checksum of messages of one length.

    Parameters
    ----------
    kind : str
        See `Profile`; ``"none"`` is always 0.
    length : int
        Bytes of a message.

    Attributes
    ----------
    bytes : int
        Length of the checksum.
    of_one : callable
        Computes the checksum of a single message, an int.
    """

    def __init__(self, kind: ChecksumKind, length: int) -> None:
        self._kind = kind
        self.bytes = CHECKSUM_BYTES[kind]
        self.of_one = _ONE[kind]
        if kind.startswith("crc"):
            self._places = np.arange(length)
            self._empty, self._table = _affine(self.of_one, length)

    def of(self, messages: Bytes) -> NDArray[np.uint32]:
        """Compute checksums.

        Parameters
        ----------
        messages : ndarray of uint8, shape (n, length)
            One in each row.

        Returns
        -------
        ndarray of uint32, shape (n,)
            One for each message.
        """
        sums: NDArray[np.uint32]
        if self._kind == "none":
            sums = np.zeros(len(messages), np.uint32)
        elif self._kind == "sum8":
            sums = np.add.reduce(messages, axis=1, dtype=np.uint32) & np.uint32(0xFF)
        elif self._kind == "xor8":
            sums = np.bitwise_xor.reduce(messages, axis=1).astype(np.uint32)
        else:
            sums = np.bitwise_xor.reduce(self._table[self._places, messages], axis=1)
            sums ^= self._empty
        return sums


def _affine(crc: Callable[[bytes], int], length: int) -> tuple[np.uint32, NDArray[np.uint32]]:
    """Checksum of all zeros, and what each value of each byte changes in it."""
    empty = crc(bytes(length))
    table = np.zeros((length, 256), np.uint32)
    message = bytearray(length)
    for place in range(length):
        for bit in range(8):
            message[place] = value = 1 << bit
            change = np.uint32(crc(bytes(message)) ^ empty)
            table[place, value : 2 * value] = table[place, :value] ^ change
        message[place] = 0
    return np.uint32(empty), table
