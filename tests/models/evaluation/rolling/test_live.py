"""Offline figures are those of a replay."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus  # noqa: E402
from models.bundle import Bundle, packaged_bundle  # noqa: E402
from models.evaluation.metrics.courses import course_figures  # noqa: E402
from models.evaluation.rolling import live  # noqa: E402
from models.evaluation.rolling.hearing import frames_at_updates, hear  # noqa: E402
from models.evaluation.rolling.unseen import course  # noqa: E402
from models.evaluation.runs import courses  # noqa: E402
from models.evidence import WINDOW_S, evidence_vectors  # noqa: E402
from models.inference import OnnxModel  # noqa: E402
from models.signal.td_features import TDFeatures, TDSettings  # noqa: E402
from models.training.examples import SignalSettings, utterance_of  # noqa: E402
from streamer.cli import cli  # noqa: E402

NAMES = ("101-001-0304", "102-001-0203")


@pytest.fixture(scope="module", params=["lda", "evidence"])
def replayed(request, tmp_path_factory):
    """The packaged recordings through a session, with one of the speaker classifiers."""
    corpus = request.config.rootpath / "drivers/simulator/packaged"
    out = tmp_path_factory.mktemp("replayed") / "run"
    chosen = [part for name in NAMES for part in ("--utterance", name)]
    words = ["replay", str(corpus), *chosen, "--speed", "max", "--json", "--out", str(out)]
    words += ["--set", f"models.speaker={request.param}"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return EmgUkaCorpus(corpus), out, request.param


def offline(corpus: EmgUkaCorpus, bundle: Bundle, what: str, method: str):
    """Follow the same utterances by the functions of the experiment."""
    part = bundle.manifest.mode if what == "mode" else bundle.manifest.speakers[method]
    assert part is not None
    model = OnnxModel(Path(bundle.path) / part.file)
    found = []
    for name in NAMES:
        one = utterance_of(corpus.recording(name), SignalSettings())
        speech, _ = bundle.frame_models().process(one.emg.frames, one.emg.joined)
        threshold = bundle.manifest.activity.threshold
        heard = hear(one, speech, threshold, TDSettings(), notch=False)
        if part.name == "evidence":
            found.append(course(heard, AsExported(model, part.labels)))
            continue
        tested = live._tested(heard, one, getattr(one, what), part.features)
        found.append(live._course(tested, part.labels, lambda rows: model(rows)[-1]))
    return found


class AsExported:
    """What was exported, in place of what it was made of."""

    def __init__(self, model, labels):
        self.model, self.labels = model, labels

    def probabilities(self, profiles, seconds):
        return self.model(evidence_vectors(profiles, np.minimum(seconds, WINDOW_S)))[-1]


@pytest.mark.parametrize("what", ["mode", "speaker"])
def test_a_replay_leaves_the_numbers_of_the_experiment(replayed, what):
    """What the report promises would not be what a user sees."""
    corpus, run, method = replayed
    seen = courses(corpus, run, what)
    told = offline(corpus, Bundle.open(packaged_bundle()), what, method)
    for one, other in zip(seen, told, strict=True):
        assert one.truth == other.truth
        assert one.labels == other.labels
        np.testing.assert_allclose(one.time_s, other.time_s, atol=1e-6)
        np.testing.assert_allclose(one.heard_s, other.heard_s, atol=1e-6)
        there = ~np.isnan(one.probabilities).any(axis=1)
        np.testing.assert_array_equal(there, ~np.isnan(other.probabilities).any(axis=1))
        np.testing.assert_allclose(one.window_s[there], other.window_s[there], atol=1e-6)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-5)
        np.testing.assert_allclose(one.whole, other.whole, atol=2e-5)
    seen_figures, told_figures = course_figures(seen), course_figures(told)
    assert seen_figures["after_ms"] == told_figures["after_ms"]
    if (what, method) != ("speaker", "evidence"):  # which has no window of one length
        assert seen_figures["rolling"] == told_figures["rolling"]
    assert seen_figures["decision"] == told_figures["decision"]
    assert seen_figures["ece"] == pytest.approx(told_figures["ece"], abs=1e-4)


@pytest.mark.parametrize("samples", [10, 60, 743, 1200])
def test_an_update_rests_on_the_frames_that_a_session_has(samples):
    """A frame more is 10 ms of look-ahead."""
    features = TDFeatures(TDSettings(), 600, 1)
    emg = np.zeros((samples, 1))
    counts = np.cumsum([len(features.process(emg[k : k + 60])) for k in range(0, samples, 60)])
    expected = counts[: samples // 60]
    np.testing.assert_array_equal(frames_at_updates(samples, TDSettings()), expected)
