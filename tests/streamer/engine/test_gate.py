"""The gate: silent at rest, open in speech, without chatter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.engine.gate import Gate, GateSettings


def make(**settings: float | bool) -> Gate:
    return Gate(GateSettings(**settings), threshold=0.5, shift_s=0.01)  # type: ignore[arg-type]


def test_rest_is_attenuated_and_speech_is_not() -> None:
    """At rest the loudspeaker must be quiet; speech must be as loud as converted."""
    gate = make(attenuation_db=40, attack_ms=20, hold_ms=50, release_ms=100)
    assert np.allclose(gate.process(np.zeros(50)), 0.01)
    opening = gate.process(np.ones(10))
    assert opening[0] < opening[1] == 1.0
    held = gate.process(np.zeros(5))
    assert (held == 1.0).all()
    closing = gate.process(np.zeros(20))
    assert (np.diff(closing[:10]) < 0).all()
    assert np.allclose(closing[10:], 0.01)


def test_short_pauses_do_not_close_it() -> None:
    """A stop consonant must not be cut out of a word."""
    gate = make(hold_ms=100)
    gate.process(np.ones(30))
    assert (gate.process(np.array([0.1] * 9 + [0.9])) == 1.0).all()


def test_the_bundles_threshold_holds_unless_one_is_set() -> None:
    """The threshold was chosen in training for a bound on false activations."""
    own = Gate(GateSettings(attack_ms=0), threshold=0.8, shift_s=0.01)
    assert own.process(np.array([0.7]))[0] < 1.0
    assert own.process(np.array([0.8]))[0] == 1.0
    given = Gate(GateSettings(attack_ms=0, threshold=0.6), threshold=0.8, shift_s=0.01)
    assert given.process(np.array([0.7]))[0] == 1.0


def test_disabled_it_changes_nothing() -> None:
    """Whoever evaluates the converter wants its output as it is."""
    assert (make(enabled=False).process(np.zeros(7)) == 1.0).all()


@given(
    activity=st.lists(st.floats(0, 1), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_grouping_does_not_matter(activity: list[float], cuts: list[int]) -> None:
    """Live and offline must sound the same."""
    values = np.array(activity)
    whole = make().process(values)
    gate = make()
    parts = [gate.process(part) for part in np.split(values, sorted(c for c in cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    gate.reset()
    np.testing.assert_array_equal(gate.process(values), whole)
