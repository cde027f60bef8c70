"""A corpus to a bundle, end to end."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from drivers.errors import RecordingError, StreamerError
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from models.bundle import Bundle

pytest.importorskip("torch")

from models.signal.conditioning import ConditioningSettings  # noqa: E402
from models.signal.filters import NotchSettings  # noqa: E402
from models.training.examples import SignalSettings, emg_of  # noqa: E402
from models.training.export import ExportError  # noqa: E402

SESSION = "002-001"
ROOT = Path(__file__).parents[3]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_trained_bundle_speaks_and_tells(bundle_path, corpus, capfd):
    """The whole way from recordings to a session's models."""
    bundle = Bundle.open(bundle_path)
    manifest = bundle.manifest
    assert manifest.name == "bundle"
    bundle.check(600.0, [f"EMG{k}" for k in range(1, 7)])
    assert bundle.mode is not None
    assert bundle.speaker is not None
    assert bundle.mode.labels == ("audible", "silent")
    assert bundle.speaker.labels == ("002", "008")
    for recording in EmgUkaCorpus(corpus).recordings(subset="test"):
        emg = emg_of(recording, SignalSettings(manifest.conditioning, manifest.features))
        activity, voice = bundle.frame_models().process(emg.frames, emg.joined)
        assert len(voice) == len(emg.frames)
        assert np.isfinite(voice.mel_cepstrum).all()
        if recording.session == SESSION:  # mode and gate have not learned another one's levels
            mode = bundle.mode.utterance(emg.samples, emg.frames)
            assert bundle.mode.labels[mode.argmax()] == recording.mode
            speech = activity >= manifest.activity.threshold
            assert speech[35:85].mean() > 0.9
            assert speech[:25].mean() < 0.1
        speaker = bundle.speaker.utterance(emg.samples, emg.frames)
        assert bundle.speaker.labels[speaker.argmax()] == recording.speaker
    assert capfd.readouterr().err == ""


def test_the_end_of_an_epoch_is_no_error(bundle_path):
    """The graphs of classifiers refuse an empty batch: every utterance ends with one."""
    bundle = Bundle.open(bundle_path)
    models = bundle.frame_models()
    assert len(models.flush()) == 0
    models.process(np.zeros((3, 30)), np.zeros((3, 54)))
    assert len(models.flush()) == bundle.manifest.converter.ahead


def test_a_bundle_is_for_everybody_on_the_machine(bundle_path):
    """What one trains, nobody else could open: it begins as a private folder."""
    assert bundle_path.stat().st_mode & 0o777 == 0o755


def test_the_manifest_says_what_was_learned_from_what(bundle_path):
    """Nobody can judge a figure without its data."""
    manifest = Bundle.open(bundle_path).manifest
    provenance = manifest.provenance.model_dump()
    assert provenance["converter_data"] == {
        "corpus": "corpus",
        "session": SESSION,
        "subset": "train.audible",
        "utterances": 4,
        "learned_first_from": {SESSION: 4, "008-001": 4},
    }
    assert provenance["classifier_data"] == {
        "activity": {SESSION: 7},
        "mode": {SESSION: 7},
        "speaker": {SESSION: 7, "008-001": 4},
    }
    assert {"torch", "onnxruntime", "scikit-learn"} <= set(manifest.provenance.versions)
    figures = manifest.figures
    assert 0 < figures["converter"]["held_out_mcd_db"] < 20
    assert figures["converter"]["onnx_difference"] <= 1e-4
    for part in ("mode", "speaker", "activity"):
        assert figures[part]["onnx_difference"] <= 1e-5
    assert figures["skipped_utterances"] == {}
    assert figures["incomplete_utterances"] == {}


TRAINING = """
import sys
from pathlib import Path
from models.training.causal import CausalSettings
from models.training.embedding import EmbeddingSettings
from models.training.settings import TrainingSettings
from models.training.train import train_bundle
network = CausalSettings(width=16, blocks=2, base_epochs=2, least_steps=0, epochs=2)
encoder = EmbeddingSettings(layers=1, hidden=16, size=4, slices_seen=256)
speakers = ("lda", "forest", "embedding")
settings = TrainingSettings(converter=network, speakers=speakers, embedding=encoder)
train_bundle(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), settings)
"""


@pytest.mark.system
@pytest.mark.timeout(300)  # two processes that import all there is, on a busy machine
def test_test_subsets_are_never_read_and_a_seed_is_a_model(corpus, tmp_path):
    """Figures on the test subsets would be worthless, and nobody could repeat a training.

    Each training has a process of its own, as everybody's has: in one that had done much else
    before, sums of PyTorch were once seen to round differently.
    """
    reader = EmgUkaCorpus(corpus)
    without = tmp_path / "without" / "corpus"
    shutil.copytree(corpus, without)
    for name in reader.utterances(subset="test"):
        files = [path for path in without.rglob("*") if name.replace("-", "_") in path.name]
        assert len(files) == 5
        for file in files:
            file.write_bytes(b"damaged")
    made = [tmp_path / "one" / "bundle", tmp_path / "again" / "bundle"]
    trainings = [
        subprocess.Popen([sys.executable, "-c", TRAINING, source, SESSION, out], cwd=ROOT)
        for source, out in zip((corpus, without), made, strict=True)
    ]
    assert [training.wait() for training in trainings] == [0, 0]
    assert left_in(made[0]) == left_in(made[1])
    for model in left_in(made[0]):
        one, again = ((path / model).read_bytes() for path in made)
        if model == "manifest.json":
            one, again = (re.sub(rb'"created": ".*"', b"", content) for content in (one, again))
        assert one == again, model


def test_a_training_tells_how_far_it_is(corpus, train, tmp_path):
    """A bar that stands still, or never ends, tells nothing."""
    said: dict[str, list[tuple[int, int]]] = {}
    train(
        corpus,
        SESSION,
        tmp_path / "bundle",
        progress=lambda what, *now: said.setdefault(what, []).append(now),
    )
    assert len(said) == 7
    for steps in said.values():
        assert [done for done, _ in steps] == sorted({done for done, _ in steps})
        assert steps[-1][0] == steps[-1][1]


def test_holes_are_counted_and_nothing_to_tell_apart_is_no_classifier(train, tmp_path, write):
    """One speaker in one mode is enough for a voice; what is missing is said, not hidden."""
    corpus = write({SESSION: {"train.audible": 4}})
    (corpus / "audio" / "002" / "001" / "a_002_001_0100.wav").unlink()
    (corpus / "Alignments" / "002" / "001" / "phones_002_001_0101.txt").unlink()
    (corpus / "emg" / "002" / "001" / "e07_002_001_0102.adc").write_bytes(b"\0" * 15)
    manifest = train(corpus, SESSION, tmp_path / "deep" / "er" / "bundle")
    assert manifest.mode is None
    assert manifest.speaker is None
    assert manifest.provenance.model_dump()["converter_data"]["utterances"] == 2
    assert manifest.figures["skipped_utterances"] == {"EMG file truncated": 1}
    assert manifest.figures["incomplete_utterances"] == {"no audio": 1, "no phones": 1}
    bundle = Bundle.open(tmp_path / "deep" / "er" / "bundle")
    assert bundle.mode is bundle.speaker is None


def test_one_utterance_of_a_mode_is_too_few(train, tmp_path, write):
    """Its probabilities could not be calibrated."""
    corpus = write({SESSION: {"train.audible": 3, "train.silent": 1}})
    with pytest.raises(RecordingError, match=r"mode silent: got 1; allowed: 2 or more"):
        train(corpus, SESSION, tmp_path / "bundle")
    assert left_in(tmp_path) == ["corpus"]


def test_one_utterance_is_no_training_set(train, tmp_path, write):
    """Nothing would be left to select the model on."""
    corpus = write({SESSION: {"train.audible": 1}})
    with pytest.raises(RecordingError, match="got 1; allowed: 2 or more"):
        train(corpus, SESSION, tmp_path / "bundle")


def test_an_existing_directory_is_never_overwritten(corpus, train, tmp_path):
    """A training takes minutes, and the bundle that lies there took them too."""
    out = tmp_path / "bundle"
    out.mkdir()
    (out / "precious").write_text("1")
    with pytest.raises(StreamerError, match=r"bundle.*it exists.*--out") as caught:
        train(corpus, SESSION, out)
    assert "\n" not in str(caught.value)
    assert left_in(out) == ["precious"]


def test_a_directory_that_appears_meanwhile_is_not_overwritten(train, tmp_path, write):
    """Two trainings into one directory: the second one loses, in one line."""
    out = tmp_path / "bundle"

    def progress(what: str, done: int, total: int) -> None:
        if what == "training the activity gate":
            out.mkdir(exist_ok=True)
            (out / "precious").write_text("1")

    with pytest.raises(StreamerError, match=r"bundle.*cannot be written") as caught:
        train(write({SESSION: {"train.audible": 2}}), SESSION, out, progress=progress)
    assert "\n" not in str(caught.value)
    assert left_in(tmp_path) == ["bundle", "corpus"]
    assert left_in(out) == ["precious"]


def test_an_out_that_cannot_be_written_is_said_before_training(corpus, train, tmp_path):
    """After minutes would be too late."""
    (tmp_path / "file").write_text("")
    said = []
    with pytest.raises(StreamerError, match=r"bundle.*cannot be written") as caught:
        train(corpus, SESSION, tmp_path / "file" / "bundle", progress=lambda *now: said.append(now))
    assert "\n" not in str(caught.value)
    assert not said


def test_unknown_names_are_said_with_those_there_are(corpus, train, tmp_path):
    """Whoever mistypes a session sees the right ones."""
    with pytest.raises(RecordingError, match=r"got 009-001; allowed: 002-001, 008-001"):
        train(corpus, "009-001", tmp_path / "bundle")
    with pytest.raises(RecordingError, match="nowhere"):
        train(tmp_path / "nowhere", SESSION, tmp_path / "bundle")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "when", ["reading the training subsets of all sessions", "training the activity gate"]
)
def test_an_interrupted_training_leaves_nothing_behind(corpus, train, tmp_path, when):
    """Half a bundle would be taken for a whole one."""

    def progress(what: str, done: int, total: int) -> None:
        if what == when and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(corpus, SESSION, tmp_path / "bundle", progress=progress)
    assert left_in(tmp_path) == []


@pytest.mark.system
@pytest.mark.timeout(300)
def test_a_training_that_is_asked_to_end_leaves_nothing_behind(tmp_path, write):
    """A batch system sends TERM; the other signals are handled alike."""
    corpus = write({SESSION: {"train.audible": 4}})
    command = (sys.executable, "-m", "streamer", "train", corpus, "--session", SESSION)
    training = subprocess.Popen(
        [*command, "--out", tmp_path / "bundle", "--set", "train.epochs=100000"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        while training.poll() is None and not list(tmp_path.glob(".bundle-*/.training")):
            time.sleep(0.05)
        assert training.poll() is None
        training.send_signal(signal.SIGTERM)
        _, error = training.communicate(timeout=200)
    finally:
        training.kill()
        training.wait()
    assert training.returncode == 130
    assert b"Traceback" not in error
    assert left_in(tmp_path) == ["corpus"]


def test_silence_where_somebody_spoke_is_no_training_set(train, tmp_path, write):
    """It ended with a distortion of 0.02 dB, and a voice that says nothing."""
    corpus = write({SESSION: {"train.audible": 4, "train.whispered": 2, "train.silent": 2}})
    files = sorted((corpus / "audio" / "002" / "001").iterdir())
    for file in files[4:]:
        soundfile.write(file, np.zeros(30000), 16000)
    with pytest.raises(RecordingError, match="audio of 2 audible or whispered") as caught:
        train(corpus, SESSION, tmp_path / "bundle")
    assert f"{files[4]}, {files[5]};" in str(caught.value)
    assert left_in(tmp_path) == ["corpus"]


def test_why_there_is_no_audio_to_learn_from_is_said(train, tmp_path, write):
    """At once, and by its reason: the rate of all files may be another one than the offsets'."""
    corpus = write({SESSION: {"train.audible": 3}})
    for file in (corpus / "audio" / "002" / "001").iterdir():
        audio, _ = soundfile.read(file)
        soundfile.write(file, np.tile(audio, 3), 48000)
    with pytest.raises(RecordingError, match=r"got 0 \(3 audio and EMG of unequal length\)"):
        train(corpus, SESSION, tmp_path / "bundle")


def test_clipped_utterances_are_counted_and_a_notch_is_in_the_manifest(train, tmp_path, write):
    """Live takes its filters from there, and a person learns what the voice learned from."""
    corpus = write({SESSION: {"train.audible": 4, "test.audible": 2}})
    for file in sorted((corpus / "audio" / "002" / "001").iterdir())[2:]:
        audio, rate_hz = soundfile.read(file)
        audio[8000:8010] = 1.0
        soundfile.write(file, audio, rate_hz)
    settings = SignalSettings(ConditioningSettings(notch=NotchSettings(60.0)))
    base = tmp_path / "base.npz"
    manifest = train(corpus, SESSION, tmp_path / "bundle", signal=settings, base=base)
    assert manifest.figures["clipped_utterances"] == {SESSION: 2}
    assert Bundle.open(tmp_path / "bundle").manifest.conditioning.notch == NotchSettings(60.0)
    with pytest.raises(StreamerError, match="signal.conditioning.notch.* of base"):
        train(corpus, SESSION, tmp_path / "another", base=base)


def test_a_model_that_exports_wrong_is_not_written(corpus, train, tmp_path, monkeypatch):
    """Training would report figures that no session reaches."""
    import models.training.export as export

    class Wrong:
        def __init__(self, file: Path) -> None:
            self.model = OnnxModel(file)

        def __call__(self, features: np.ndarray) -> list[np.ndarray]:
            return [output + 0.01 for output in self.model(features)]

    OnnxModel = export.OnnxModel
    monkeypatch.setattr(export, "OnnxModel", Wrong)
    with pytest.raises(ExportError, match=r"mode.onnx: got 0\.01"):
        train(corpus, SESSION, tmp_path / "bundle")
    assert left_in(tmp_path) == []
