"""A classifier for a session whose modes nobody has told it."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.mode.adaptation import scaled, tell  # noqa: E402

CENTRES = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 1.0], [0.0, 3.0, -1.0]])


def session(rng, centres, each=60):
    labels = np.repeat(np.arange(len(centres)), each)
    return centres[labels] + rng.normal(size=(len(labels), 3)), labels


def test_gain_and_offset_of_a_session_do_not_matter():
    """Electrodes sit differently every day."""
    rng = np.random.default_rng(0)
    one, _ = session(rng, CENTRES)
    other = one * [3.0, 0.1, 1.0] + [100, -5, 0]
    np.testing.assert_allclose(scaled(one, one), scaled(other, other), atol=1e-9)
    dead = np.column_stack((one, np.full(len(one), 7.0)))
    assert np.isfinite(scaled(dead, dead)).all()


def test_a_session_shows_where_its_own_modes_lie():
    """Muscles of another face make another pattern of the same mode."""
    rng = np.random.default_rng(1)
    known, labels = session(rng, CENTRES)
    moved = CENTRES + [[0.0, 1.4, 0.0], [0.0, 1.4, 0.0], [0.0, 1.4, 0.0]]
    new, truth = session(rng, moved)
    start = tell(known, labels, new, rounds=0).argmax(axis=1) == truth
    adapted = tell(known, labels, new).argmax(axis=1) == truth
    assert adapted.mean() > start.mean() + 0.02
    assert adapted.mean() > 0.85


def test_probabilities_add_up_and_do_not_depend_on_the_order():
    """Blocks of modes must not be told by when they were recorded."""
    rng = np.random.default_rng(2)
    known, labels = session(rng, CENTRES)
    new, _ = session(rng, CENTRES, each=20)
    order = rng.permutation(len(new))
    said = tell(known, labels, new)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(tell(known, labels, new[order]), said[order], atol=1e-9)


def test_more_features_than_utterances_are_no_error():
    """288 features, and a session may have ten utterances."""
    rng = np.random.default_rng(3)
    labels = np.arange(12) % 3
    said = tell(rng.normal(size=(12, 50)), labels, rng.normal(size=(7, 50)))
    assert said.shape == (7, 3)
    assert np.isfinite(said).all()
