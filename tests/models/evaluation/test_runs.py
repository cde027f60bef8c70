"""The figures in the README come from here."""

import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("sklearn")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.evaluation.runs import copy_synthesis, measure  # noqa: E402

PACKAGED = "drivers/simulator/packaged"


@pytest.fixture
def corpus(request):
    return EmgUkaCorpus(request.config.rootpath / PACKAGED)


def test_a_run_that_leaves_the_natural_speech_has_no_distortion(corpus, tmp_path):
    """A figure that does not look at the WAV, or pairs it wrongly, would go unnoticed."""
    utterances = []
    for name, mode in (("101-001-0304", "audible"), ("102-001-0109", "whispered")):
        recording = corpus.recording(name)
        wav = tmp_path / f"{name}.wav"
        soundfile.write(wav, recording.audio, 16000, subtype="PCM_16")
        said = {"label": mode, "answer": "unsure"}
        utterances.append(
            {"utterance": name, "audio": str(wav), "mcd_db": 5.0, "mode": said, "speaker": None}
        )
    (tmp_path / "summary.json").write_text(json.dumps({"utterances": utterances}))
    result = measure(corpus, [tmp_path])
    (run,) = result["runs"].values()
    assert run["mcd_db"] == 5.0
    assert run["reanalysed_mcd_db"] < 0.01
    assert 0.5 < run["copy_synthesis_mcd_db"] < 2.5
    assert result["mode"]["balanced_accuracy"] == 0.5  # both are audible, one was called so
    assert "speaker" not in result


def test_copy_synthesis_keeps_length_and_level(corpus):
    """Copy synthesis bounds what any converter can reach; a lost second would move it."""
    audio = corpus.recording("101-001-0304").audio.astype(np.float64)
    copied = copy_synthesis(audio)
    assert len(copied) == len(audio)
    assert np.std(copied) == pytest.approx(np.std(audio), rel=0.3)
