"""The conversion experiment from a corpus to its findings."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pystoi")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.evaluation.conversion import conversion  # noqa: E402
from models.evaluation.conversion.figures import over_sessions  # noqa: E402
from models.evaluation.conversion.measures import measure, summary  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402
from models.frame_models import SpeechFrames  # noqa: E402
from models.speech.analysis import SpeechSettings  # noqa: E402
from models.training.examples import speech_of  # noqa: E402

SIZES = {
    "002-001": {
        "train.audible": 4,
        "train.silent": 4,
        "test.audible": 2,
        "test.silent": 2,
        "test.whispered": 2,
    },
    "008-001": {"train.audible": 4, "test.audible": 2},
}


def evaluate(corpus, work, **more):
    return conversion(Study(Material.of(corpus, **more), EvaluationSettings("quick"), work))


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    root = write_corpus(tmp_path_factory.mktemp("conversion") / "corpus", SIZES)
    # Every mode says the same sentences, and the test subsets others than the training subsets.
    for session, subsets in SIZES.items():
        number = 100
        for subset, count in subsets.items():
            for k in range(count):
                name = f"transcript_{session.replace('-', '_')}_{number + k:04d}.txt"
                file = root / "Transcripts" / session.replace("-", "/") / name
                file.write_text(f"{subset.split('.')[0]} {k}\n".upper())
            number += count
    return root


def test_scripts_find_their_figures(corpus, tmp_path):
    """A laboratory's own scripts read these paths."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    for setting in ("symmetric", "causal", "paper"):
        part = figures["audible"][setting]
        each = [one["mcd_db"] for one in part["sessions"].values()]
        assert part["mcd_db"]["mean"] == pytest.approx(np.mean(each))
        assert len(each) == 2
        assert len(part["ccc"]["mean"]) == 25
    assert set(figures["audible"]["causal"]["sessions"]) == set(SIZES)
    for training in ("audible_trained", "audible_trained_as_is", "silent_trained"):
        for part in (figures["silent"][training], figures["silent"]["causal"][training]):
            assert part["dtw_mcd_db"]["sessions"] == 1
            assert part["utterances"] == 2
    assert figures["whispered"]["audible_trained_as_is"]["dtw_mcd_db"]["mean"] > 0
    rescaled, as_is = (
        figures["silent"][one]["dtw_mcd_db"]["mean"]
        for one in ("audible_trained", "audible_trained_as_is")
    )
    assert rescaled != as_is
    assert json.dumps(figures, allow_nan=False)
    assert findings.missing == []
    assert "<svg" in findings.drawings[0].svg
    assert evaluate(corpus, tmp_path / "two").figures == figures


def test_a_corpus_of_audible_speech_alone(corpus, tmp_path):
    """Most sessions of the full corpus have no other mode."""
    findings = evaluate(corpus, tmp_path, sessions=("008-001",))
    assert findings.figures["audible"]["causal"]["mcd_db"]["sessions"] == 1
    for training in ("audible_trained", "silent_trained"):
        assert findings.figures["silent"][training]["dtw_mcd_db"]["mean"] is None
    assert [one.split()[1] for one in findings.missing] == ["whispered", "silent", "silent"]


def test_without_sound_nothing_is_invented(corpus, write_corpus, tmp_path):
    """A session without a microphone must not end the evaluation of the others."""
    root = write_corpus(tmp_path / "corpus", {"008-001": {"train.audible": 2, "test.audible": 1}})
    for file in (root / "audio").rglob("*.wav"):
        file.unlink()
    findings = evaluate(root, tmp_path)
    assert findings.figures["audible"] == {"symmetric": None, "causal": None, "paper": None}
    assert any("008-001" in one for one in findings.missing)
    assert any("audible test" in one for one in findings.missing)


@pytest.fixture
def natural(small_corpus):
    recording = EmgUkaCorpus(small_corpus).recording("002-001-0100")
    return speech_of(recording, SpeechSettings()), recording.audio.astype(np.float64)


def test_perfect_speech_has_no_error(natural):
    """Each figure needs a zero that it can be compared with."""
    speech, audio = natural
    same = SpeechFrames(speech.mel_cepstrum, np.exp(speech.log_f0), speech.voiced)
    for aligned in (False, True):
        found = measure(same, speech, audio, SpeechSettings(), aligned=aligned)
        assert found.mcd_db == pytest.approx(0, abs=1e-9)
        assert found.pitch.voicing_error == 0
        assert found.pitch.rmse_cents == pytest.approx(0, abs=1e-9)
        assert found.estoi is None or 0 < found.estoi <= 1


def test_slower_speech_is_aligned_before_it_is_measured(natural):
    """Silent speech is never as fast as the audible sentence that it is compared with."""
    speech, audio = natural
    twice = np.repeat(np.arange(len(speech.mel_cepstrum)), 2)
    slow = SpeechFrames(
        speech.mel_cepstrum[twice], np.exp(speech.log_f0[twice]), speech.voiced[twice]
    )
    assert measure(slow, speech, audio, SpeechSettings(), aligned=True).mcd_db < 1e-9
    assert measure(slow, speech, audio, SpeechSettings(), aligned=False).mcd_db > 1


def test_a_session_is_the_mean_of_its_utterances(natural):
    """A mean over frames would count long utterances more than the paper does."""
    speech, audio = natural
    quieter = speech.mel_cepstrum + np.eye(25)[3]
    made = [
        SpeechFrames(mel, np.exp(speech.log_f0), speech.voiced)
        for mel in (speech.mel_cepstrum, quieter)
    ]
    found = summary(
        [measure(one, speech, audio, SpeechSettings(), aligned=False) for one in made], "mcd_db"
    )
    assert found is not None
    assert found["mcd_db"] == pytest.approx(10 / np.log(10) * np.sqrt(2) / 2)
    assert found["utterances"] == 2
    assert over_sessions({"a": {"audible": found}, "b": None}, "audible")["utterances"] == 2
    assert over_sessions({"b": None}, "audible") is None
