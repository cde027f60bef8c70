"""Which rate stamps tell, and that losses are none."""

from collections.abc import Callable

import numpy as np
import pytest

from drivers.effective_rate import EffectiveRate, caution, effective_rate_hz

DECLARED = 600.0

Pieces = list[np.ndarray]


def sent(
    rate_hz: float, push: int, *, stamps: str = "push", jitter_s: float = 0.0, seconds: float = 40
) -> Pieces:
    """Stamps of a sender, push by push, late by some milliseconds."""
    rng = np.random.default_rng(0)
    pieces = []
    for end in range(push, round(seconds * rate_hz) + 1, push):
        late_s = rng.exponential(jitter_s) if jitter_s else 0.0
        ages_s = {
            "sample": np.arange(push)[::-1] / rate_hz,  # each has its own
            "push": np.arange(push)[::-1] / DECLARED,  # liblsl makes up those before the last
            "call": np.arange(push)[::-1] * -2e-5,  # each when it was handed to liblsl
        }
        pieces.append(end / rate_hz + late_s - ages_s[stamps])
    return pieces


def live(pieces: Pieces) -> float | None:
    rate = EffectiveRate(DECLARED)
    for piece in pieces:
        rate.add(piece, float(piece[-1]))
    return rate.rate_hz


@pytest.mark.parametrize("rate_hz", [250.0, 300.0, 570.0, 606.0, 1200.0])
@pytest.mark.parametrize("push", [1, 12, 50])
@pytest.mark.parametrize("stamps", ["push", "sample", "call"])
@pytest.mark.parametrize("jitter_s", [0.0, 3e-4])
def test_another_rate_is_recognised(rate_hz, push, stamps, jitter_s):
    """Half of what a sender of 300 Hz sends would count as lost, and the voice be nonsense."""
    pieces = sent(rate_hz, push, stamps=stamps, jitter_s=jitter_s)
    assert live(pieces) == pytest.approx(rate_hz, rel=2e-3)
    if not (push == 50 and rate_hz == 250):  # 70 samples less each 50: lost pushes look so, too
        got_hz = effective_rate_hz(np.concatenate(pieces), DECLARED)
        assert got_hz == pytest.approx(rate_hz, rel=2e-3)


@pytest.mark.parametrize("rate_hz", [598.5, 600.0, 601.5])
@pytest.mark.parametrize("stamps", ["push", "sample", "call"])
@pytest.mark.parametrize("jitter_s", [0.0, 0.005, 0.02])
def test_a_clock_is_no_other_rate(rate_hz, stamps, jitter_s):
    """A caution that comes with every device is read by nobody."""
    assert live(sent(rate_hz, 12, stamps=stamps, jitter_s=jitter_s)) is None


def without_pushes(share: float) -> Callable[[Pieces], Pieces]:
    rng = np.random.default_rng(1)
    return lambda pieces: [piece for piece in pieces if rng.random() >= share]


def without_every(n: int) -> Callable[[Pieces], Pieces]:
    return lambda pieces: [piece for k, piece in enumerate(pieces) if k % n]


def without_samples(share: float) -> Callable[[Pieces], Pieces]:
    rng = np.random.default_rng(2)

    def lose(pieces: Pieces) -> Pieces:
        left = [piece[rng.random(len(piece)) >= share] for piece in pieces]
        return [piece for piece in left if len(piece)]

    return lose


def without_every_sample(n: int) -> Callable[[Pieces], Pieces]:
    def lose(pieces: Pieces) -> Pieces:
        numbers = np.split(np.arange(len(pieces) * len(pieces[0])), len(pieces))
        return [piece[k % n > 0] for piece, k in zip(pieces, numbers, strict=True)]

    return lose


@pytest.mark.parametrize(
    "lose",
    [
        without_pushes(0.01),
        without_pushes(0.1),
        without_pushes(0.3),
        without_every(10),
        without_every(5),
        without_samples(0.01),
        without_samples(0.1),
        without_every_sample(10),
        without_every_sample(1200),
    ],
)
@pytest.mark.parametrize("jitter_s", [0.0, 3e-4])
def test_losses_are_no_other_rate(lose, jitter_s):
    """A wireless link that drops a tenth of all packets is to be told from a wrong setting."""
    pieces = lose(sent(DECLARED, 12, jitter_s=jitter_s))
    assert live(pieces) is None
    if not jitter_s:
        assert effective_rate_hz(np.concatenate(pieces), DECLARED) == DECLARED


def test_pauses_and_interruptions_are_no_other_rate():
    """A sender that rests for seconds is as fast as before when it is back."""
    pieces = sent(DECLARED, 12)
    pauses_s = (np.arange(len(pieces)) // 300) * 2.5
    assert live([piece + late_s for piece, late_s in zip(pieces, pauses_s, strict=True)]) is None
    rate = EffectiveRate(DECLARED)
    for k, piece in enumerate(sent(300.0, 12, seconds=60)):
        if k % 60 == 0:
            rate.restart()
        assert not rate.add(piece, float(piece[-1]))  # never long enough to tell


def test_a_push_that_comes_in_parts_is_one():
    """A network that splits what was sent together does not hide its rate."""
    rate = EffectiveRate(DECLARED)
    changes = [
        rate.add(part, float(piece[-1]) + k * 1e-4)
        for piece in sent(300.0, 12, stamps="push")
        for k, part in enumerate(np.split(piece, [1]))
    ]
    assert changes.count(True) == 1
    assert rate.rate_hz == pytest.approx(300.0)


def test_what_is_said():
    """The user reads both rates, and what to do."""
    line = caution("stream 'Amp'", 300.04, 600.0)
    assert line.startswith("samples of stream 'Amp' come at 300 Hz, and it declares 600 Hz")
