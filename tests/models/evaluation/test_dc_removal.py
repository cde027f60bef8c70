"""The cost of causal DC removal in the README comes from here."""

import pytest

pytest.importorskip("torch")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.evaluation.dc_removal import compare  # noqa: E402
from models.training.threads import few_threads  # noqa: E402


def test_every_way_of_removal_is_measured(request):
    """A table with the same features twice would prove nothing."""
    corpus = EmgUkaCorpus(request.config.rootpath / "drivers/simulator/packaged")
    with few_threads():
        figures = compare(corpus, "101-001")
    assert set(figures) == {
        f"{way}.{scale}" for way in ("utterance_mean", "causal") for scale in ("linear", "log")
    }
    assert len(set(figures.values())) == 4
