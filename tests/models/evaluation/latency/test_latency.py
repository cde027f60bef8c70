"""Distortion against latency."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from models.bundle import Bundle  # noqa: E402
from models.evaluation.latency import latency  # noqa: E402
from models.evaluation.latency.points import algorithmic_ms, points_of  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402
from models.training.causal import CausalSettings  # noqa: E402
from models.training.examples import LOW_DELAY, SignalSettings  # noqa: E402
from models.training.settings import TrainingSettings  # noqa: E402
from models.training.train import train_bundle  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 10, "test.audible": 2},
    "008-001": {"train.audible": 10, "test.audible": 1},
}


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("latency") / "corpus", SIZES)


def test_the_sweep_and_the_live_converter_have_figures(corpus, tmp_path):
    """Scripts and the README read them."""
    found = latency(Study(Material.of(corpus), EvaluationSettings("quick"), tmp_path))
    assert json.dumps(found.figures, allow_nan=False)
    usual, low, ahead = found.figures["sweep"].values()
    assert usual["algorithmic_ms"] - low["algorithmic_ms"] == pytest.approx(20, abs=0.1)
    assert low["algorithmic_ms"] - ahead["algorithmic_ms"] == pytest.approx(40)
    assert ahead["effective_lead_ms"] == pytest.approx(40 - ahead["lag_ms"])
    live = found.figures["live"]
    assert set(live["sessions"]) == set(SIZES)
    assert 0 < live["mcd_db"]["mean"] < 30
    assert live["utterances"] == 3
    assert len(found.tables) == 2
    assert found.drawings[0].svg.count("<svg") == 1


def test_without_test_utterances_it_is_said(write_corpus, tmp_path):
    """A mean of nothing would stand there as a number, or the whole report would fail."""
    corpus = write_corpus(tmp_path / "corpus", {"002-001": {"train.silent": 2}})
    found = latency(Study(Material.of(corpus), EvaluationSettings("quick"), tmp_path))
    assert found.figures["sweep"] == {}
    assert found.figures["live"]["mcd_db"] is None
    assert len(found.missing) == 2


def test_every_point_has_a_name_of_its_own():
    """Two of one name would be one in the JSON file."""
    names = [one.idea.name for one in points_of(EvaluationSettings())]
    assert len(set(names)) == len(names) > 6


@pytest.mark.parametrize(
    ("signal", "settings"),
    [
        pytest.param(SignalSettings(), {"lead_ms": 20.0}, marks=pytest.mark.slow),
        (SignalSettings(), {"future": 3}),
        (LOW_DELAY, {"lead_ms": 40.0}),
    ],
)
def test_latency_is_that_of_the_bundle(corpus, tmp_path, signal, settings):
    """The report would promise another latency than a session shows."""
    tiny = CausalSettings(width=8, blocks=1, base_epochs=1, least_steps=0, epochs=1)
    how = replace(tiny, **settings)
    train_bundle(
        corpus, "002-001", tmp_path / "bundle", TrainingSettings(signal=signal, converter=how)
    )
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.algorithmic_latency_ms == pytest.approx(algorithmic_ms(signal, how))
