"""Clicks of known time through a sound card: how long the card takes.

Run as a program, it plays them: ``python -m streamer.bench.clicks CONFIG RESULT SECONDS``.
"""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.errors import StreamerError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import read_json
from streamer.audio.play_buffer import Audio, PlayBuffer
from streamer.audio.sound_card import SoundCard
from streamer.bench.heard import Heard
from streamer.config import load_config

LARGEST_SD_MS = 2.0
"""Of the card's path; with more, a run says nothing."""

_EVERY_S = 0.5
_LEVEL = 0.5
_START_UP_S = 3.0
_PLAYED_S = 9.0
_LONGEST_S = 0.4  # of a card's path
_RATE_HZ = 16000


class ClickBuffer(PlayBuffer):
    """Gives the card a click every half second, and keeps when it took it.

    Parameters
    ----------
    rate_hz : int
        Sampling rate.

    Attributes
    ----------
    clicks_s : list of float
        Time of each callback with a click, on ``perf_counter``; it is the first sample.
    """

    def __init__(self, rate_hz: int) -> None:
        super().__init__(rate_hz, 10.0, 100.0)
        self.clicks_s: list[float] = []
        self._passed = 0
        self._next = 0

    def render(self, out: Audio) -> None:
        """Take the next samples; called from the audio callback."""
        now_s = time.perf_counter()
        out[:] = 0
        if self._passed >= self._next:
            out[0] = _LEVEL
            self.clicks_s.append(now_s)
            self._next += round(_EVERY_S * self.rate_hz)
        self._passed += len(out)


@dataclass(frozen=True)
class CardPath:
    """How long a card takes from callback to sound.

    Attributes
    ----------
    delays_ms : tuple of float
        Of each click that was heard.
    lost : int
        Clicks that were not.
    """

    delays_ms: tuple[float, ...]
    lost: int

    @property
    def median_ms(self) -> float:
        """Median; infinite where no click was heard."""
        return float(np.median(self.delays_ms)) if self.delays_ms else float("inf")

    @property
    def sd_ms(self) -> float:
        """Standard deviation; infinite where it is not known."""
        return float(np.std(self.delays_ms)) if len(self.delays_ms) > 1 else float("inf")


def play_clicks(config: Path, folder: Path, environment: Mapping[str, str]) -> list[float]:
    """Play clicks from a process of its own.

    Parameters
    ----------
    config : Path
        With the audio settings of the run.
    folder : Path
        Takes the result.
    environment : mapping of str to str
        Of the process.

    Returns
    -------
    list of float
        Time of each callback with a click, without those of the start-up.

    Raises
    ------
    StreamerError
        The card cannot be opened.
    """
    result = folder / "clicks.json"
    done = subprocess.run(
        [sys.executable, "-m", "streamer.bench.clicks", config, result, str(_PLAYED_S)],
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise StreamerError("clicks", value=done.stderr.strip().rpartition("\n")[2])
    clicks_s: list[float] = read_json(result, "clicks")
    return [click_s for click_s in clicks_s if click_s > clicks_s[0] + _START_UP_S]


def card_path(clicks_s: list[float], heard: Heard) -> CardPath:
    """Find each click in what was heard.

    Parameters
    ----------
    clicks_s : list of float
        When the callbacks took them.
    heard : Heard
        What was heard.

    Returns
    -------
    CardPath
        From callback to sound.
    """
    delays_ms, lost = [], 0
    for click_s in clicks_s:
        cut, first_s = heard.between(click_s - 0.05, click_s + _LONGEST_S)
        loud = np.flatnonzero(cut > _LEVEL / 2)
        if len(loud):
            delays_ms.append(1000 * (first_s + int(loud[0]) * heard.period_s - click_s))
        else:
            lost += 1
    return CardPath(tuple(delays_ms), lost)


def _main(config: str, result: str, seconds: str) -> None:
    buffer = ClickBuffer(_RATE_HZ)
    card = SoundCard(buffer, load_config(Path(config)).audio)
    card.start()
    time.sleep(float(seconds))
    card.stop()
    Path(result).write_text(to_json(buffer.clicks_s))


if __name__ == "__main__":
    _main(*sys.argv[1:])
