import numpy as np
import pytest

from drivers.recordings.recording import Segment
from drivers.simulator.muscles import MUSCLES, Articulation, muscle_activations
from drivers.simulator.phones import SILENCE

TIME_S = np.arange(-300, 900) / 600


def _act(labels: str, articulation: Articulation | None = None) -> np.ndarray:
    """Activations for phones of 0.1 s each, from 0 s on."""
    phones = [Segment(k / 10, (k + 1) / 10, label) for k, label in enumerate(labels.split())]
    return muscle_activations(phones, TIME_S, articulation or Articulation())


def _muscle(activations: np.ndarray, name: str) -> np.ndarray:
    return activations[:, MUSCLES.index(name)]


def test_muscles_rest_in_silence() -> None:
    """A gate that learns rest from simulated silence needs rest."""
    activations = _act("B AA B")
    assert activations.shape == (len(TIME_S), len(MUSCLES))
    assert np.all(activations[TIME_S < -0.3] < 1e-3)
    assert np.all(activations[TIME_S > 0.7] < 1e-3)
    assert np.all(activations > -1e-12)
    assert np.all(_act(f"{SILENCE} {SILENCE}") < 1e-9)


@pytest.mark.parametrize(
    ("phone", "muscle"),
    [
        ("AA", "digastric"),
        ("IY", "zygomaticus"),
        ("UW", "orbicularis oris"),
        ("P", "orbicularis oris"),
        ("F", "depressor anguli oris"),
        ("T", "genioglossus"),
        ("K", "styloglossus"),
    ],
)
def test_a_phone_works_the_muscle_that_makes_it(phone: str, muscle: str) -> None:
    """EMG without articulation in it could teach a converter nothing."""
    activations = _act(phone)
    assert _muscle(activations, muscle).max() > 0.75 * activations.max() > 0.5


def test_muscles_run_ahead_of_the_sound() -> None:
    """The lead is what a converter without look-ahead lives on."""
    lips = _muscle(_act("AX AX AX M AX AX AX"), "orbicularis oris")
    middle_s = float(np.sum(TIME_S * lips) / np.sum(lips))
    assert 0.35 - middle_s == pytest.approx(0.05, abs=0.02)


def test_gestures_begin_in_the_neighbouring_phone() -> None:
    """Coarticulation: lips round for the vowel during the consonant before it."""
    rounding = _muscle(_act("T UW"), "orbicularis oris")
    spread = _muscle(_act("T IY"), "orbicularis oris")
    in_consonant = (TIME_S > 0.0) & (TIME_S < 0.05)
    assert np.all(rounding[in_consonant] > 5 * spread[in_consonant])


def test_modes_differ_in_what_they_scale() -> None:
    """Speaking modes must be told apart by articulation, the thing that differs in people."""
    audible = _act("AA M AA")
    np.testing.assert_allclose(_act("AA M AA", Articulation(effort=0.5)), 0.5 * audible)
    voiceless = _act("AA M AA", Articulation(phonation=0.0))
    assert np.all(_muscle(voiceless, "platysma") <= _muscle(audible, "platysma"))
    lips = _act("AA M AA", Articulation(lips=2.0))
    assert _muscle(lips, "orbicularis oris").max() > 1.9 * (
        _muscle(audible, "orbicularis oris").max()
    )
    np.testing.assert_allclose(_muscle(lips, "styloglossus"), _muscle(audible, "styloglossus"))
