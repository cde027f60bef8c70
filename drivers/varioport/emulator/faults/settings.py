"""Which faults, and how they are written on a command line."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SourceError


@dataclass(frozen=True)
class Pause:
    """An interruption that comes again and again.

    Attributes
    ----------
    every_s : float
        From the beginning of one to the next, and to the first.
    lasting_s : float
        Length of each.
    """

    every_s: float
    lasting_s: float

    def __post_init__(self) -> None:
        """Refuse pauses that run into each other."""
        if not 0 < self.lasting_s < self.every_s < math.inf:
            raise SourceError(
                "pause",
                value=f"every {self.every_s:g} s for {self.lasting_s:g} s",
                allowed="EVERY:LASTING in seconds, 0 < LASTING < EVERY, such as 10:1.5",
            )

    def covers(self, time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which instants lie within a pause.

        Parameters
        ----------
        time_s : ndarray of float64, shape (n,)
            On the device's clock, 0 where pauses are counted from.

        Returns
        -------
        ndarray of bool, shape (n,)
            True within.
        """
        number, since_s = self.locate(time_s)
        return (number >= 1) & (since_s < self.lasting_s)

    def locate(
        self, time_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Tell which pause came last.

        Parameters
        ----------
        time_s : ndarray of float64, shape (n,)
            On the device's clock, 0 where pauses are counted from.

        Returns
        -------
        number : ndarray of float64, shape (n,)
            Of the pause, from 1; 0 before the first one.
        since_s : ndarray of float64, shape (n,)
            Time since its beginning, to the nanosecond.
        """
        number = np.floor(time_s / self.every_s + 1e-9)
        return number, np.round(time_s - number * self.every_s, 9)


@dataclass(frozen=True)
class Faults:
    """Which faults, and how many.

    Attributes
    ----------
    lost_bytes : float
        Probability that a byte does not arrive.
    garbage_bytes : float
        Probability that a random byte arrives before a byte.
    flipped_bits : float
        Probability that one bit of a byte is turned over.
    duplicates : float
        Probability that a frame arrives twice.
    stall : Pause or None
        The device is silent; what it measures meanwhile is lost, but counted.
    late : Pause or None
        The device is silent; what it measures meanwhile comes at the end, all at once.
    unplug : Pause or None
        The port is gone; the device goes on counting. Counted from when somebody opened the
        port first, so that it is there for whoever starts late.
    burst_ms : float
        Bytes are handed over only this often, as an adapter does with its latency timer
        (16 ms on FTDI's); 0 hands over each frame at its time.
    drift_ppm : float
        How much faster the device's clock runs than this host's.
    first_count : int
        Count of the first frame; negative: as many frames before the counter's wrap.
    half_frame : bool
        Whoever plugs in first gets the second half of a frame.
    seed : int
        Same seed, same faults.
    """

    lost_bytes: float = 0.0
    garbage_bytes: float = 0.0
    flipped_bits: float = 0.0
    duplicates: float = 0.0
    stall: Pause | None = None
    late: Pause | None = None
    unplug: Pause | None = None
    burst_ms: float = 0.0
    drift_ppm: float = 0.0
    first_count: int = 0
    half_frame: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no line does."""
        for name, low, high in (
            ("lost_bytes", 0, 1),
            ("garbage_bytes", 0, 1),
            ("flipped_bits", 0, 1),
            ("duplicates", 0, 1),
            ("burst_ms", 0, 1000),
            ("drift_ppm", -10_000, 10_000),
            ("first_count", -(2**32), 2**32 - 1),
            ("seed", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SourceError(
                    f"fault {name.replace('_', '-')}", value=value, allowed=f"{low} to {high}"
                )


_SYNTAX = {
    "lost-bytes": "P",
    "garbage-bytes": "P",
    "flipped-bits": "P",
    "duplicates": "P",
    "stall": "EVERY:LASTING",
    "late": "EVERY:LASTING",
    "unplug": "EVERY:LASTING",
    "burst-ms": "MS",
    "drift-ppm": "PPM",
    "first-count": "N",
    "half-frame": "yes|no",
    "seed": "N",
}
assert [name.replace("-", "_") for name in _SYNTAX] == [field.name for field in fields(Faults)]


def parse_faults(texts: Iterable[str]) -> Faults:
    """Read faults as they are written on a command line.

    Parameters
    ----------
    texts : iterable of str
        ``lost-bytes=0.01``, ``unplug=10:1.5`` (every 10 s for 1.5 s), ``drift-ppm=100``,
        ``half-frame``, ... each once at most.

    Returns
    -------
    Faults
        The settings.

    Raises
    ------
    SourceError
        An unknown fault, or a value that it cannot have.
    """
    values: dict[str, float | int | bool | Pause] = {}
    for text in texts:
        name, equals, value = text.strip().partition("=")
        key = name.replace("-", "_")
        if name not in _SYNTAX or key in values:
            raise SourceError(
                "fault",
                value=f"{text!r}{' a second time' if key in values else ''}",
                allowed=", ".join(f"{known}={syntax}" for known, syntax in _SYNTAX.items()),
            )
        if name == "half-frame" and not equals:
            value = "yes"
        values[key] = _parse_value(name, value)
    return Faults(**values)  # type: ignore[arg-type]


def _parse_value(name: str, text: str) -> float | int | bool | Pause:
    syntax = _SYNTAX[name]
    try:
        if syntax == "N":
            return int(text)
        if syntax == "yes|no":
            return {"yes": True, "no": False}[text]
        if syntax == "EVERY:LASTING":
            every, lasting = text.split(":")
            return Pause(float(every), float(lasting))
        return float(text)
    except (ValueError, KeyError):
        raise SourceError(f"fault {name}", value=repr(text), allowed=f"{name}={syntax}") from None
