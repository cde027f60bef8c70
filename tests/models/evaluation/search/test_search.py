"""The search for a converter."""

import json

import pytest

pytest.importorskip("torch")

from models.evaluation.material import Material  # noqa: E402
from models.evaluation.search import PLAIN, ideas_of, search, spread  # noqa: E402
from models.evaluation.search.jobs import (  # noqa: E402
    VARIANTS,
    Idea,
    held_out_sentences,
    try_idea,
)
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402
from models.signal.stacking import StackingSettings  # noqa: E402
from models.training.causal import CausalSettings  # noqa: E402
from models.training.network import ConverterSettings  # noqa: E402

TINY = CausalSettings(width=8, blocks=1, base_epochs=1, least_steps=0, epochs=1)
SIZES = {
    "002-001": {"train.audible": 10, "test.audible": 1},
    "008-001": {"train.audible": 10, "test.audible": 1},
}


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("search") / "corpus", SIZES)


def test_a_sentence_is_held_out_of_every_session(corpus):
    """Heard in another session, it would make every idea look better that uses others."""
    material = Material.of(corpus)
    held_out = held_out_sentences(material, 0)
    said = [one.transcript for s in material.all_sessions() for one in s.subset("train")]
    assert len(held_out) == len(set(said)) // 8 == 1
    assert held_out == held_out_sentences(material, 0) == tuple(sorted(held_out))
    assert sum(one in held_out for one in said) == 2


@pytest.mark.parametrize("variant", list(VARIANTS))
@pytest.mark.parametrize("others", ["all", "speaker", "none"])
def test_every_idea_can_be_tried(corpus, variant, others):
    """An idea that fails after an hour costs the hour."""
    material = Material.of(corpus)
    idea = Idea("one", TINY, variant=variant, others=others, bands=variant != "recurrent")
    found = try_idea(material, idea, ("002-001",), held_out_sentences(material, 0))
    assert set(found) == {"002-001"}
    assert 0 < found["002-001"]["mcd_db"] < 30
    assert found["002-001"]["mcd_db"] != found["002-001"]["base_mcd_db"]


def test_two_networks_and_the_paper_s(corpus):
    """The mean of two networks would be the first one alone."""
    material = Material.of(corpus)
    held_out = held_out_sentences(material, 0)
    plain = ConverterSettings(stacking=StackingSettings(2, 0), widths=(8,), epochs=1, batch=64)
    ideas = (
        Idea("one", TINY),
        Idea("two", TINY, networks=2),
        Idea("paper", signal=PLAIN, bands=False, feedforward=plain),
    )
    found = [try_idea(material, one, ("008-001",), held_out)["008-001"] for one in ideas]
    assert len({one["mcd_db"] for one in found}) == 3
    assert "base_mcd_db" not in found[2]


def test_the_table_says_what_each_idea_gains(corpus, tmp_path):
    """A gain of the wrong sign would choose the worse converter."""
    study = Study(Material.of(corpus), EvaluationSettings("quick"), tmp_path)
    findings = search(study)
    reference, other = findings.figures["ideas"].values()
    assert reference["gain_db"] == 0
    assert other["gain_db"] == pytest.approx(reference["mcd_db"] - other["mcd_db"])
    assert json.dumps(findings.figures, allow_nan=False)


def test_sessions_are_spread_over_speakers():
    """Four sessions of one speaker would choose the converter for one voice."""
    sizes = {"002-001": 500, "002-101": 40, "004-001": 40, "008-001": 40, "008-002": 39}
    assert spread(sizes, 3) == ("002-101", "004-001", "008-002")
    assert spread(sizes, 4) == ("002-101", "004-001", "008-001", "008-002")
    assert spread({"002-001": 40}, 4) == ("002-001",)


def test_every_name_is_there_once():
    """Two ideas of one name would be one in the JSON file."""
    names = [one.name for one in ideas_of(EvaluationSettings())]
    assert len(set(names)) == len(names) > 8
