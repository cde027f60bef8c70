"""What the bench says of decoding is measured, and bad figures look bad."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from drivers.source import Samples
from drivers.varioport.codec import make_decoder, make_encoder
from drivers.varioport.profile import Profile, load_profile
from streamer.bench import decoding
from streamer.bench.decoding import DAMAGE, GARBAGE, LOST, Truth, cost, fuzz
from streamer.bench.figure import Figure

FRAMES = 4000


@pytest.fixture
def emg_uv() -> Samples:
    noise = np.random.default_rng(0).normal(0, 60, (1500, 6))
    return (np.rint(noise / 0.033) * 0.033).astype(np.float32)


def named(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name.rpartition("_")[2]: figure for figure in figures}


def silent(_what: str, _done: int, _all: int) -> None: ...


@pytest.fixture
def sent_uv(emg_uv: Samples) -> Callable[[Profile], Samples]:
    """As the device rounds it."""

    def rounded(profile: Profile) -> Samples:
        frames = make_encoder(profile).encode(emg_uv)
        (*pieces,) = make_decoder(profile).push(b"".join([*frames, *frames[:20]]), None)
        return np.concatenate([piece.samples for piece in pieces])

    return rounded


@pytest.mark.parametrize(
    ("name", "damage"), [("framed", DAMAGE), ("multiplex", LOST), ("multiplex", GARBAGE)]
)
def test_damage_is_survived_and_counted(name: str, damage: Any, sent_uv: Any) -> None:
    """A damaged byte would be heard, or a loss be denied."""
    profile = load_profile(name)
    figures = fuzz("fuzz", profile, sent_uv(profile), damage, FRAMES, silent)
    assert all(figure.good for figure in figures), figures
    assert len(figures) == (3 if name == "framed" else 2)


class Broken:
    """A decoder that does one thing wrong."""

    def __init__(self, profile: Profile, how: str) -> None:
        self._decoder, self._how, self._pieces = make_decoder(profile), how, 0

    @property
    def counts(self) -> Any:
        counts = self._decoder.counts
        counts.lost_frames += self._how == "miscounts"
        return counts

    def push(self, data: bytes, passed: float | None) -> Any:
        for piece in self._decoder.push(data, passed):
            self._pieces += 1
            if self._how == "is mute":
                continue
            if self._how == "is wrong" and self._pieces == 3:
                piece.samples[0, 2] += 1
            yield piece


@pytest.mark.parametrize(
    ("name", "how", "bad"),
    [
        ("framed", "is mute", {"missed"}),
        ("framed", "is wrong", {"wrong"}),
        ("framed", "miscounts", {"miscounted"}),
        ("multiplex", "is mute", {"cost"}),
        ("multiplex", "is wrong", {"wrong"}),
    ],
)
def test_a_broken_decoder_shows(
    name: str, how: str, bad: set[str], sent_uv: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure that is always good says nothing."""
    profile = load_profile(name)
    sent = sent_uv(profile)
    monkeypatch.setattr(decoding, "make_decoder", lambda p: Broken(p, how))
    figures = fuzz("fuzz", profile, sent, DAMAGE if name == "framed" else LOST, FRAMES, silent)
    assert {key for key, figure in named(figures).items() if not figure.good} == bad


@pytest.mark.parametrize(("took_s", "good"), [(0.04, True), (0.06, False)])
def test_the_cost_of_decoding_is_a_share_of_the_emg_s_time(
    emg_uv: Samples, took_s: float, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding that takes the time that the voice needs would pass for cheap."""
    clock = SimpleNamespace(thread_time=iter((7.0, 7.0 + took_s)).__next__)
    monkeypatch.setattr(decoding, "time", clock)
    figure = cost(load_profile("framed"), emg_uv, seconds=5.0)
    assert (figure.most, figure.unit) == (1.0, "%")
    assert figure.value == pytest.approx(100 * took_s / 5.0)
    assert figure.good is good


def test_truth_knows_the_place_of_a_sample(emg_uv: Samples) -> None:
    """A loss that is counted wrongly moves all that comes after it."""
    truth = Truth(emg_uv, counted=True)
    truth.check(emg_uv[100:120], 0)
    truth.check(emg_uv[125:130], 5)
    assert (truth.samples, truth.wrong, truth.place) == (25, 0, 130)
    truth.check(emg_uv[131:133], 0)
    assert truth.wrong == 2
    truth.begin()
    truth.check(emg_uv[-10:], 7)
    truth.check(emg_uv[:10], 0)  # it is played over and over
    assert (truth.wrong, truth.place) == (2, 10)
    truth.begin()
    truth.check(emg_uv[:5] + 1, 0)
    assert truth.wrong == 7
