"""Phones to muscle activations.

The way of a phone: each phone has articulatory targets (`drivers.simulator.phones`);
dominance functions blend them into gestures that overlap as speech does; a table says
which muscles make which gesture; the muscles act some 50 ms before the sound.

* Coarticulation: dominance functions, proposed by Löfqvist (1990) and made into a
  model of speech movements by Cohen and Massaro (1993). A phone's influence on a
  gesture falls off around its middle, and is weak where the phone does not need the
  gesture, so that rounding of a vowel begins during the consonant before it.
* A muscle works to move and to hold: its activation is a tonic part that follows the
  gesture and a phasic part that follows its onset.
* EMG runs ahead of the sound by some 50 ms: 30 ms are a plain delay, the phasic part
  brings the rest (measured as the peak of the cross-correlation with the gestures).

Simplified: seven muscles stand for some twenty, gestures add up linearly, antagonists
do not fight, left and right are one, and the articulators have no mass. Bell-shaped
dominance replaces Cohen and Massaro's pointed exponential, because a muscle does not
change its force at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.recording import Segment
from drivers.simulator.phones import GESTURES, SILENCE, articulatory_targets

MUSCLES: tuple[str, ...] = (
    "digastric",  # anterior belly: lowers the jaw
    "genioglossus",  # with the floor of the mouth: tongue forward and up
    "styloglossus",  # tongue back and up
    "zygomaticus",  # major, with levator anguli oris: corners of the mouth
    "orbicularis oris",  # rounds and closes the lips
    "depressor anguli oris",  # with depressor labii: lower lip
    "platysma",  # lowers jaw and lips against resistance; tenses with effort and voice
)

PHONATION = "phonation"

# Rows: what drives; columns: MUSCLES. Voice production tenses the neck a little.
_OF_GESTURE: dict[str, tuple[float, ...]] = {
    "jaw": (0.90, 0.00, 0.00, 0.05, 0.00, 0.30, 0.45),
    "rounding": (0.00, 0.00, 0.00, 0.00, 0.90, 0.35, 0.10),
    "spreading": (0.00, 0.00, 0.00, 1.00, 0.05, 0.05, 0.20),
    "closure": (0.05, 0.00, 0.00, 0.05, 1.00, 0.55, 0.10),
    "labiodental": (0.00, 0.00, 0.00, 0.25, 0.35, 0.80, 0.15),
    "tip": (0.05, 0.70, 0.25, 0.00, 0.00, 0.00, 0.05),
    "front": (0.10, 0.90, 0.10, 0.00, 0.00, 0.00, 0.05),
    "back": (0.20, 0.15, 1.00, 0.00, 0.00, 0.00, 0.05),
    PHONATION: (0.12, 0.05, 0.05, 0.00, 0.00, 0.00, 0.18),
}

_VOICELESS = frozenset(("P", "T", "K", "CH", "F", "TH", "S", "SH", "HH", SILENCE))

_UNNEEDED_DOMINANCE = 0.25  # of a gesture that the phone leaves free
_SILENCE_DOMINANCE = 0.7
_SHORTEST_SPREAD_S = 0.022  # dominance of the shortest phone: standard deviation
_PHASIC_S = 0.05  # weight of a gesture's speed against its degree


@dataclass(frozen=True)
class Articulation:
    """How a speaking mode, or a speaker's habit, changes the gestures.

    Attributes
    ----------
    effort : float
        Factor on all activations.
    jaw, lips, tongue : float
        Factors on the gestures of each articulator; above 1 is hyper-articulation.
    phonation : float
        0 without voice, 1 with it.
    phasic : float
        Factor on the part that follows the onset of gestures.
    lead_s : float
        How far the muscles run ahead of the gestures, besides what `phasic` brings.
    """

    effort: float = 1.0
    jaw: float = 1.0
    lips: float = 1.0
    tongue: float = 1.0
    phonation: float = 1.0
    phasic: float = 1.0
    lead_s: float = 0.03


_ARTICULATOR = {
    "jaw": "jaw",
    "rounding": "lips",
    "spreading": "lips",
    "closure": "lips",
    "labiodental": "lips",
    "tip": "tongue",
    "front": "tongue",
    "back": "tongue",
    PHONATION: "phonation",
}


def muscle_activations(
    phones: Sequence[Segment], time_s: NDArray[np.float64], articulation: Articulation
) -> NDArray[np.float64]:
    """Compute how strongly each muscle acts.

    Parameters
    ----------
    phones : sequence of Segment
        In the corpus' phone set, one after the other; outside there is silence.
    time_s : ndarray of float64, shape (n,)
        Instants on the time axis of `phones`, evenly spaced.
    articulation : Articulation
        How gestures become activations.

    Returns
    -------
    ndarray of float64, shape (n, len(MUSCLES))
        0 at rest; about 1 in a strong gesture.
    """
    gestures = _gestures(phones, time_s + articulation.lead_s)
    speed = np.gradient(gestures, time_s, axis=0)
    drive = gestures + articulation.phasic * _PHASIC_S * np.maximum(speed, 0.0)
    names = (*GESTURES, PHONATION)
    factors = np.array([getattr(articulation, _ARTICULATOR[name]) for name in names])
    muscles = np.array([_OF_GESTURE[name] for name in names])
    activations: NDArray[np.float64] = articulation.effort * (drive * factors) @ muscles
    return activations


def _gestures(phones: Sequence[Segment], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blend the targets of the phones: a mean weighted by dominance, per gesture."""
    targets, dominance, middles, spreads = [], [], [], []
    for phone in _surrounded_by_silence(phones, time_s):
        parts = articulatory_targets(phone.label)
        edges = np.linspace(phone.start_s, phone.end_s, len(parts) + 1)
        voiced = 0.0 if phone.label in _VOICELESS else 1.0
        for part, start, end in zip(parts, edges[:-1], edges[1:], strict=True):
            target = np.array([*(part.get(name, 0.0) for name in GESTURES), voiced])
            targets.append(target)
            if phone.label == SILENCE:
                dominance.append(np.full(len(target), _SILENCE_DOMINANCE))
            else:
                needed = np.maximum(target, _UNNEEDED_DOMINANCE)
                needed[-1] = 1.0  # a voiceless phone does insist on no voice
                dominance.append(needed)
            middles.append((start + end) / 2)
            spreads.append(max((end - start) / 2, _SHORTEST_SPREAD_S))
    distance = (time_s[:, None] - np.array(middles)) / np.array(spreads)
    # The far tail of the nearest phone must not vanish: keep the exponent finite.
    bell = np.exp(-0.5 * np.minimum(distance**2, 200.0))
    weights = np.array(dominance)
    blended: NDArray[np.float64] = (bell @ (weights * np.array(targets))) / (bell @ weights)
    return blended


def _surrounded_by_silence(phones: Sequence[Segment], time_s: NDArray[np.float64]) -> list[Segment]:
    """Add the rest before and after, in pieces short enough to have a middle nearby."""
    before = np.arange(phones[0].start_s, time_s[0] - 0.2, -0.1)
    after = np.arange(phones[-1].end_s, time_s[-1] + 0.2, 0.1)
    return [
        *(Segment(float(t) - 0.1, float(t), SILENCE) for t in before[::-1]),
        *phones,
        *(Segment(float(t), float(t) + 0.1, SILENCE) for t in after),
    ]
