"""Every speaker classifier that can go live, from training to a session."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import EmgUkaCorpus
from models.bundle import Bundle
from models.classifier import WindowClassifier, utterance_windows, window_vector
from models.embedding import Encoder
from models.evidence import EvidenceClassifier
from models.inference import OnnxModel
from models.manifest import ClassifierPart, Manifest
from models.signal.band_profile import band_profiles

torch = pytest.importorskip("torch")

from models.training import evidence_part, parts, speakers  # noqa: E402
from models.training.embedding import EmbeddingSettings, SpeakerEncoder  # noqa: E402
from models.training.evidence import evidence_bands  # noqa: E402
from models.training.examples import SignalSettings, Utterance, utterance_of  # noqa: E402
from models.training.settings import TrainingSettings  # noqa: E402
from models.training.speakers import train_speaker_parts  # noqa: E402

ALL = ("evidence", "lda", "forest", "embedding")
SESSION = "002-001"
DATA = Path(__file__).parents[3] / "data" / "emg-uka"

Originals = dict[str, Any]


@pytest.fixture
def originals(monkeypatch: pytest.MonkeyPatch) -> Originals:
    """What is exported from now on, as it was before: by the name of its file."""
    kept: Originals = {}

    def spy(module: object, name: str) -> None:
        export = getattr(module, name)

        def keep(original: object, file: Path, *more: object, **named: object) -> float:
            kept[file.name] = original
            return export(original, file, *more, **named)

        monkeypatch.setattr(module, name, keep)

    spy(parts, "export_classifier")
    spy(evidence_part, "export_classifier")
    spy(speakers, "export_encoder")
    return kept


def compare(
    found: list[tuple[ClassifierPart, WindowClassifier | EvidenceClassifier]],
    originals: Originals,
    utterances: list[Utterance],
) -> None:
    """Compare ONNX and Python, window by window and utterance by utterance."""
    for part, classifier in found:
        if isinstance(classifier, EvidenceClassifier):
            compare_evidence(classifier, originals[part.file], utterances)
            continue
        name, pipeline, encoder = part.name, originals[part.file], None
        if part.encoder is not None:
            encoder = Encoder(partial(embed, originals[part.encoder.file]), part.encoder)
        wholes = []
        for one in utterances:
            windows = utterance_windows(one.emg.samples, one.emg.frames, part.window_s, 600.0, 0.01)
            rows = [window_vector(*window, part.features, 600.0, encoder) for window in windows]
            expected = pipeline.predict_proba(np.stack(rows))
            said = [classifier.probabilities(classifier.features(*window)) for window in windows]
            np.testing.assert_allclose(said, expected, atol=3e-5, err_msg=f"{name} {one.name}")
            scores = np.log(np.maximum(expected, 1e-12)).mean(axis=0)
            weights = np.exp(scores - scores.max())
            whole = classifier.utterance(one.emg.samples, one.emg.frames)
            np.testing.assert_allclose(
                whole, weights / weights.sum(), atol=3e-5, err_msg=f"{name} {one.name}"
            )
            wholes.append(whole)
        assert np.ptp(wholes, axis=0).max() > 0.01, name  # else it says the same of everything


def compare_evidence(
    classifier: EvidenceClassifier, original: Any, utterances: list[Utterance]
) -> None:
    """Compare what is said of utterances in which all is taken for speech."""
    said = []
    for one in utterances:
        heard = classifier.listen(0.0, 60.0)
        heard.process(one.emg.samples, np.ones(len(one.emg.frames)))
        said.append(heard.whole())
        bands = evidence_bands(one.emg.samples, 600.0)[: len(one.emg.frames)]
        profile = band_profiles(bands, one.emg.samples.shape[1], [len(bands)])
        expected = original.probabilities(profile, np.array([len(bands) / 100]))[0]
        np.testing.assert_allclose(said[-1], expected, atol=3e-5, err_msg=one.name)
    assert np.ptp(said, axis=0).max() > 0.01  # else it says the same of everything


def loaded(
    corpus: Path,
    settings: TrainingSettings,
    sessions: tuple[str, ...] = (),
    most: int | None = None,
) -> list[Utterance]:
    """Read the training subsets of these sessions, or of all; the first utterances of each."""
    data = EmgUkaCorpus(corpus)
    return [
        utterance_of(one, settings.signal, settings.speech)
        for session in sessions or data.sessions
        for subset in data.subsets(session)
        if subset.startswith("train.")
        for one in islice(data.recordings(session, subset), most)
    ]


def embed(network: SpeakerEncoder, slices: np.ndarray) -> list[np.ndarray]:
    with torch.no_grad():
        return [network(torch.tensor(slices, dtype=torch.float32)).numpy().astype(np.float64)]


def test_onnx_says_what_python_says_of_every_utterance(
    corpus: Path, train: Callable[..., Manifest], originals: Originals, tmp_path: Path
) -> None:
    """A session would tell other speakers than the figures were measured for."""
    manifest = train(corpus, SESSION, tmp_path / "bundle", speakers=ALL)
    assert list(manifest.speakers) == list(ALL)
    assert manifest.speaker is not None
    assert manifest.speaker.name == "evidence"
    assert "encoder had" in manifest.speakers["embedding"].calibration
    assert manifest.speakers["forest"].calibration.startswith("none")
    bundle = Bundle.open(tmp_path / "bundle")
    utterances = [utterance_of(one, SignalSettings()) for one in EmgUkaCorpus(corpus).recordings()]
    assert len(utterances) == 17
    found = [(part, bundle.speakers[name]) for name, part in manifest.speakers.items()]
    compare(found, originals, utterances)
    for name in ("lda", "forest"):  # the fixture's speakers differ in EMG, their voices do not
        for one in utterances:
            said = bundle.speakers[name].utterance(one.emg.samples, one.emg.frames)
            assert bundle.speakers[name].labels[said.argmax()] == one.speaker, (name, one.name)
    figures = manifest.figures
    for stem in ("speaker", "speaker_evidence", "speaker_forest", "speaker_embedding"):
        assert figures[stem]["onnx_difference"] <= 1e-4
    assert figures["speaker_forest"]["cross_validated_balanced_accuracy"] == 1
    assert figures["speaker_evidence"]["cross_validated_balanced_accuracy_within_1600_ms"] > 0.95
    # Its encoder has learned from all of them: no figure of the whole.
    assert "cross_validated_balanced_accuracy" not in figures["speaker_embedding"]
    assert figures["speaker_embedding"]["encoder_utterances"] == 8  # the silent ones are mute


def test_one_is_trained_once_and_none_where_there_is_one_speaker(
    corpus: Path, tmp_path: Path
) -> None:
    """A forest alone is a speaker classifier too; one speaker is nothing to tell apart."""
    settings = TrainingSettings(speakers=("forest", "forest"))
    utterances = loaded(corpus, settings)

    def trained(some: list[Utterance]) -> tuple[list[ClassifierPart], dict[str, dict[str, float]]]:
        return train_speaker_parts(some, tmp_path, settings, 600.0, lambda *now: None)

    found, figures = trained(utterances)
    assert [(one.name, one.file) for one in found] == [("forest", "speaker_forest.onnx")]
    assert list(figures) == ["speaker_forest"]
    assert trained([one for one in utterances if one.speaker == "002"]) == (
        [],
        {"speaker_forest": {}},
    )


def test_embeddings_of_one_voice_are_an_error(write: Callable[..., Path], tmp_path: Path) -> None:
    """Nothing would be learned, and nobody told."""
    corpus = write({SESSION: {"train.audible": 3}, "008-001": {"train.audible": 3}})
    for file in (corpus / "audio" / "008").rglob("*.wav"):
        file.unlink()
    settings = TrainingSettings(speakers=("embedding",))
    with pytest.raises(RecordingError, match=r"speakers with sound.*got 1; allowed: 2 or more"):
        train_speaker_parts(loaded(corpus, settings), tmp_path, settings, 600.0, lambda *now: None)


@pytest.mark.corpus
@pytest.mark.skipif(not DATA.is_dir(), reason="no real recordings in data/emg-uka")
@pytest.mark.timeout(1800)  # a minute of computing, more on a busy machine
@pytest.mark.parametrize("most", [6, pytest.param(None, marks=pytest.mark.slow)])
def test_onnx_says_what_python_says_of_every_real_utterance(
    most: int | None, originals: Originals, tmp_path: Path
) -> None:
    """Real features have other scales than noise, and fuller trees."""
    by_speaker = {one[:3]: one for one in reversed(EmgUkaCorpus(DATA).sessions)}
    if len(by_speaker) < 2:
        pytest.skip("one speaker alone in data/emg-uka")
    encoder = EmbeddingSettings(slices_seen=4000)
    if most is not None:
        encoder = EmbeddingSettings(layers=1, hidden=32, size=8, slices_seen=1280)
    settings = TrainingSettings(speakers=ALL, embedding=encoder)
    utterances = loaded(DATA, settings, tuple(by_speaker.values()), most)
    found, _ = train_speaker_parts(utterances, tmp_path, settings, 600.0, lambda *now: None)

    def opened(part: ClassifierPart) -> WindowClassifier | EvidenceClassifier:
        if part.bands is not None:
            return EvidenceClassifier(OnnxModel(tmp_path / part.file), part, 600.0, 6)
        encoder = None
        if part.encoder is not None:
            encoder = Encoder(OnnxModel(tmp_path / part.encoder.file), part.encoder)
        return WindowClassifier(OnnxModel(tmp_path / part.file), part, 600.0, 0.01, encoder)

    compare([(part, opened(part)) for part in found], originals, utterances)
