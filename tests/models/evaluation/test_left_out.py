"""What is left out is not learned from: the one mistake that makes every figure too good.

A session's decisions must not change when its own labels do, and what is fitted must not have met
it. Each of these tests fails when the exclusion that it is about is taken away.
"""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.autoencoder.jobs import decide  # noqa: E402
from models.evaluation.autoencoder.spectra import Label  # noqa: E402
from models.evaluation.conversion import base  # noqa: E402
from models.evaluation.embedding import jobs as embedding  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.rolling import experiment, observed, unseen  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.speaker import experiment as speaker  # noqa: E402
from models.evaluation.speaker.jobs import Described  # noqa: E402
from models.evaluation.study import Study  # noqa: E402
from models.training.causal import CausalSettings  # noqa: E402
from models.training.embedding import EmbeddingSettings  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 3, "test.audible": 2},
    "002-002": {"train.audible": 3, "test.audible": 2},
    "004-001": {"train.audible": 3, "test.audible": 2},
    "008-001": {"train.audible": 3, "test.audible": 2},
    "008-002": {"train.audible": 3, "test.audible": 2},
}
SEVERAL = [name for name in SIZES if name != "004-001"]


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("left_out") / "corpus", SIZES)


@pytest.fixture
def material(corpus, tmp_path):
    return Material.of(corpus, store=tmp_path)


def described(session: str, lie: bool = False) -> Described:
    """Vectors in which the speaker hardly shows, so that a lie about them would be believed."""
    rng = np.random.default_rng(int(session.replace("-", "")))
    speaker = session.split("-")[0]
    vectors = rng.normal(0.2 * (speaker == "008"), 1, (12, 66))
    if lie:
        speaker = {"002": "008", "008": "002"}[speaker]
    splits = ("train",) * 8 + ("test",) * 4
    return Described(session, speaker, ("audible",) * 12, splits, {"paper": vectors})


@pytest.mark.parametrize("session", SEVERAL)
def test_speakers_by_lda_and_forest(corpus, tmp_path, session):
    """A session would be known by its own day's electrodes."""
    said = []
    for lie in (False, True):
        sessions = [described(one, lie and one == session) for one in SEVERAL]
        study = Study(Material.of(corpus), EvaluationSettings("quick"), tmp_path / str(lie))
        told = speaker._told(study, sessions, sessions, "paper")
        said.append({k: [d.said for d in v if d.session == session] for k, v in told.items()})
    assert said[0] == said[1]


@pytest.mark.parametrize("split", ["train", "test"])
def test_speakers_by_autoencoder(split):
    """The support vector machine would have met the session, or the test subsets of others."""
    sessions = [*SEVERAL, "002-003", "008-003"]
    labels = [
        Label(one, one.split("-")[0], "audible", kind)
        for one in sessions
        for kind in ("train",) * 8 + ("test",) * 4
    ]
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (len(labels), 30))
    lied = [
        replace(one, speaker={"002": "008", "008": "002"}[one.speaker])
        if one.session == "002-001" or one.split == "test" == split
        else one
        for one in labels
    ]
    told = [decide(None, vectors, one, "audible", sessions, 0) for one in (labels, lied)]
    first, second = ([d.said for d in one if d.session == "002-001"] for one in told)
    assert first == second


def test_speakers_by_embedding(material, monkeypatch):
    """Neither the encoder nor the discriminant has met the session."""
    settings = EmbeddingSettings(layers=1, hidden=8, size=4, slices_seen=64)
    teacher = embedding.acoustic(material, settings, ("train", "test"))
    taught, learned = [], []
    train, decide_by = embedding.train_emg_encoder, embedding._decisions

    def train_spied(frames, *more):
        taught.extend(frames)
        return train(frames, *more)

    def decide_spied(discriminating, embeddings, known, asked):
        learned.extend(known)
        return decide_by(discriminating, embeddings, known, asked)

    monkeypatch.setattr(embedding, "train_emg_encoder", train_spied)
    monkeypatch.setattr(embedding, "_decisions", decide_spied)
    embedding.fold(material, "002-001", teacher, settings, ("train", "test"))
    own = [one.emg.frames for one in material.session("002-001").utterances]
    assert taught
    assert not any(np.array_equal(one, mine) for one in taught for mine in own)
    assert {one.session for one in learned} == {"002-002", "008-001", "008-002"}
    assert {one.split for one in learned} == {"train"}


class Asked(Study):
    """A study that remembers what it was asked for."""

    def run(self, what, function, arguments):
        self.__dict__.setdefault("asked", []).extend((function.__name__, a) for a in arguments)
        return super().run(what, function, arguments)


def test_rolling_speakers(corpus, tmp_path, monkeypatch):
    """The evidence of a session would be weighed by what was learned from it."""
    monkeypatch.setitem(experiment._SIZES, "quick", experiment._Scale(every=1, draws=1))
    material = Material.of(corpus, store=tmp_path)
    study = Asked(material, EvaluationSettings("quick"), tmp_path)
    experiment.rolling(study)
    told = [arguments[:2] for name, arguments in study.asked if name == "told"]
    assert len(told) == 3 * len(SEVERAL)
    assert all(session not in known for session, known in told)
    windows = [arguments for name, arguments in study.asked if name == "courses"]
    unseen_windows = [(known, asked) for _, known, asked in windows if known is not asked]
    assert len(unseen_windows) == len(SEVERAL)
    assert not any(one is other for known, [other] in unseen_windows for one in known)


@pytest.fixture
def fitted(monkeypatch):
    """Return all utterances that evidence is learned from, fit by fit."""
    found, fit = [], unseen.fit

    def spied(known, calibrate=True):
        found.append([one for one in known if one.split == "train"])
        return fit(known, calibrate)

    monkeypatch.setattr(unseen, "fit", spied)
    return found


def test_verification_and_enrolment(material, fitted):
    """An impostor whom training has heard is none, and neither is a target's own session new."""
    scores = unseen.verified(material, "002-001", list(SIZES), 1, notch=False)
    assert list(scores) == ["004", "008"]
    for impostor, known in zip(scores, fitted, strict=True):
        assert "002-001" not in {one.session for one in known}
        assert impostor not in {one.speaker for one in known}
    fitted.clear()
    recalls = unseen.enrolled(material, SEVERAL, ["004-001"], 2, [0, 1], 1, 0)
    assert len(recalls) == len(fitted) == 2
    for known in fitted:
        sessions = {one.session for one in known}
        assert len(sessions - {"004-001"}) == 2  # one of each speaker; the others are told


def test_test_subsets_teach_nothing(material):
    """What is learned would be what is asked for."""
    utterances = unseen.utterances_of(material, SEVERAL, 1)
    lied = [replace(one, speaker="999") if one.split == "test" else one for one in utterances]
    first, second = unseen.fit(utterances), unseen.fit(lied)
    assert first.labels == second.labels
    profiles = np.stack([one.profiles[-1] for one in utterances]).astype(float)
    seconds = np.ones(len(profiles))
    np.testing.assert_array_equal(
        first.probabilities(profiles, seconds), second.probabilities(profiles, seconds)
    )


def test_the_gate_of_the_others(material, monkeypatch):
    """For a day without labels, speech is told from rest by what other days taught."""
    learned, gate_of = [], observed.gate_of

    def spied(utterances, features):
        learned.extend(utterances)
        return gate_of(utterances, features)

    monkeypatch.setattr(observed, "gate_of", spied)
    heard = observed.heard_through(material, "002-001", ["002-002", "008-001"], 1)
    assert len(heard) == 5
    assert {one.session for one in learned} == {"002-002", "008-001"}
    assert {one.split for one in learned} == {"train"}


def test_converters_learn_from_training_subsets(material, monkeypatch):
    """The shared network would know how the test sentences sounded."""
    given = {}
    monkeypatch.setattr(base, "train_base", lambda sessions, *_: given.update(sessions))
    base.base_of(material, CausalSettings())
    assert set(given) == set(SIZES)
    for name, learned in given.items():
        tested = material.session(name).subset("test")
        assert len(learned) == SIZES[name]["train.audible"]
        assert not any(
            np.array_equal(frames, one.emg.joined) for frames in learned.frames for one in tested
        )
