"""Beside every result on the mode stands what can be told of it at rest."""

import pytest

pytest.importorskip("sklearn")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.evaluation.rest_control import REST_S, beginnings, control  # noqa: E402


@pytest.fixture
def corpus(request):
    return EmgUkaCorpus(request.config.rootpath / "drivers/simulator/packaged")


def test_only_the_beginnings_are_looked_at(corpus):
    """A control that hears speech controls nothing."""
    emg, modes, rate_hz = beginnings(corpus, "test")
    assert len(emg) == len(modes) == 18
    assert set(modes) == {0, 1, 2}
    assert {len(one.samples) for one in emg} == {round(REST_S * rate_hz)}


def test_simulated_modes_are_not_told_at_rest(corpus):
    """Simulated rest is the same in every mode, so the control must find next to nothing."""
    figures = control(corpus)
    assert figures["utterances"] == 18
    assert abs(figures["balanced_accuracy"] - figures["chance"]) < 0.35
