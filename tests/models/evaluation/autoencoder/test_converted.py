"""Speech made of EMG by models that have not seen it."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from models.evaluation.autoencoder import converted as module  # noqa: E402
from models.evaluation.autoencoder.converted import (  # noqa: E402
    ConversionSettings,
    converted,
    convertible,
)


def utterance(name, mode, split, transcript):
    speech = SimpleNamespace(mel_cepstrum=np.zeros((4, 25)))
    emg = SimpleNamespace(frames=np.zeros((4, 3)))
    return SimpleNamespace(
        name=name, mode=mode, split=split, transcript=transcript, speech=speech, emg=emg
    )


def test_no_model_has_seen_what_it_converts(monkeypatch):
    """Speech from models that know the utterance would flatter the indirect system."""
    wanted = [utterance(f"a{k}", "audible", "train", f"sentence {k // 2}") for k in range(12)]
    wanted += [utterance(f"s{k}", "silent", "train", f"sentence {k}") for k in range(6)]
    wanted += [utterance("t", "audible", "test", "another")]
    monkeypatch.setattr(module, "_train", lambda learn, settings: {one.name for one in learn})
    monkeypatch.setattr(module, "_speech", lambda seen, one: seen)
    settings = ConversionSettings(folds=3)
    assert convertible(wanted, settings)
    found = list(converted(wanted, settings))
    assert sorted(one.name for one, _ in found) == sorted(one.name for one in wanted)
    audible = {one.name for one in wanted[:12]}
    for one, seen in found:
        assert one.name not in seen
        if one.name in audible:
            sentences = {other.transcript for other in wanted[:12] if other.name in seen}
            assert one.transcript not in sentences
            assert len(seen) == 8
        else:
            assert seen == audible


def test_too_few_sentences_are_found_out_before():
    """A training on nothing would end the evaluation with a traceback."""
    wanted = [utterance(f"a{k}", "audible", "train", f"sentence {k}") for k in range(3)]
    assert not convertible(wanted, ConversionSettings(folds=2))
    assert not convertible([], ConversionSettings(folds=2))
