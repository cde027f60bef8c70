"""The figures in the README come from here."""

import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("sklearn")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.evaluation.runs import copy_synthesis, courses, measure  # noqa: E402

PACKAGED = "drivers/simulator/packaged"


@pytest.fixture
def corpus(request):
    return EmgUkaCorpus(request.config.rootpath / PACKAGED)


def test_a_run_that_leaves_the_natural_speech_has_no_distortion(corpus, tmp_path):
    """A figure that does not look at the WAV, or pairs it wrongly, would go unnoticed."""
    utterances = []
    pairs = (("101-001-0304", "audible"), ("102-001-0109", "whispered"))
    for epoch, (name, mode) in enumerate(pairs):
        recording = corpus.recording(name)
        wav = tmp_path / f"{name}.wav"
        soundfile.write(wav, recording.audio, 16000, subtype="PCM_16")
        said = {"label": mode, "answer": "unsure", "probabilities": {mode: 0.6, "silent": 0.4}}
        utterances.append(
            {"utterance": name, "epoch": epoch, "audio": str(wav), "mcd_db": 5.0}
            | {"mode": said, "speaker": None}
        )
    (tmp_path / "summary.json").write_text(json.dumps({"utterances": utterances}))
    (tmp_path / "estimates.jsonl").write_text("")
    result = measure(corpus, [tmp_path])
    (run,) = result["runs"].values()
    assert run["mcd_db"] == 5.0
    assert run["reanalysed_mcd_db"] < 0.01
    assert 0.5 < run["copy_synthesis_mcd_db"] < 2.5
    assert result["mode"]["balanced_accuracy"] == 0.5  # both are audible, one was called so
    assert "speaker" not in result


def test_estimates_are_followed_utterance_by_utterance(corpus, tmp_path):
    """A session that answers late and rightly would look like one that answers at once."""

    def estimate(epoch, name, time_s, speech, probability):
        answer = {"probabilities": {"audible": probability, "silent": 1 - probability}}
        said = None if probability is None else answer | {"window_s": time_s}
        row = {"epoch": epoch, "utterance": name, "epoch_time_s": time_s, "speech": speech}
        return json.dumps(row | {"mode": said, "speaker": None}) + "\n"

    first, second = "101-001-0304", "101-001-0343"
    (tmp_path / "estimates.jsonl").write_text(
        estimate(0, first, 0.1, 0.2, 0.3)
        + estimate(0, first, 0.2, 0.9, 0.3)
        + estimate(0, first, 0.3, 0.9, 0.8)
        + estimate(1, second, 0.1, 0.9, 0.9)
    )
    whole = {"label": "audible", "probabilities": {"audible": 0.7, "silent": 0.3}}
    rows = [
        {"utterance": name, "epoch": epoch, "mcd_db": None, "mode": whole, "speaker": None}
        for epoch, name in enumerate((first, second))
    ]
    (tmp_path / "summary.json").write_text(json.dumps({"utterances": rows}))
    one, other = courses(corpus, tmp_path, "mode")
    np.testing.assert_allclose(one.heard_s, [0, 0.1, 0.2])
    np.testing.assert_allclose(one.probabilities[:, 0], [0.3, 0.3, 0.8])
    np.testing.assert_allclose(other.window_s, [0.1])
    figures = measure(corpus, [tmp_path])["mode"]["rolling"]
    assert figures["after_ms"]["250"]["accuracy"] == 1.0
    assert figures["decision"]["curve"][0]["undecided"] == 0.5
    assert courses(corpus, tmp_path, "speaker") == []


def test_copy_synthesis_keeps_length_and_level(corpus):
    """Copy synthesis bounds what any converter can reach; a lost second would move it."""
    audio = corpus.recording("101-001-0304").audio.astype(np.float64)
    copied = copy_synthesis(audio)
    assert len(copied) == len(audio)
    assert np.std(copied) == pytest.approx(np.std(audio), rel=0.3)
