"""What is exported does what was trained."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skl2onnx")

from models.inference import OnnxModel  # noqa: E402
from models.training import export  # noqa: E402
from models.training.classifiers import fit_discriminant  # noqa: E402
from models.training.embedding import EmbeddingSettings, SpeakerEncoder  # noqa: E402
from models.training.export import (  # noqa: E402
    CLASSIFIER_TOLERANCE,
    CONVERTER_TOLERANCE,
    ENCODER_TOLERANCE,
    ExportError,
    export_classifier,
    export_converter,
    export_encoder,
)
from models.training.forest import fit_forest  # noqa: E402
from models.training.network import ConverterNetwork, ConverterSettings  # noqa: E402

COLUMNS, ORDER = 12, 4
EXACT = 1e-6  # of probabilities that a formula gives
RNG = np.random.default_rng(0)
SCALES = 10.0 ** np.arange(-4, 2).repeat(2)


@pytest.fixture(scope="module")
def network():
    """Untrained, with scalers that matter."""
    torch.manual_seed(0)
    mean = np.random.default_rng(1).normal(size=COLUMNS)
    settings = ConverterSettings(widths=(16, 8))
    return ConverterNetwork(mean, SCALES, np.arange(ORDER + 2), np.ones(ORDER + 2), settings).eval()


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("export") / "converter.onnx"
    difference = export_converter(network, file, features(20))
    return file, difference


def features(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return np.random.default_rng(1).normal(size=COLUMNS) + SCALES * rng.normal(
        size=(count, COLUMNS)
    )


@pytest.mark.parametrize("count", [0, 1, 2, 7, 300])
def test_onnx_is_torch_for_any_number_of_frames(network, exported, count):
    """Live, frames come one by one; offline all at once; at the end of an epoch none."""
    file, difference = exported
    assert difference <= CONVERTER_TOLERANCE
    x = features(count)
    with torch.no_grad():
        expected = [one.numpy() for one in network(torch.tensor(x, dtype=torch.float32))]
    found = OnnxModel(file)(x)
    for a, b, columns in zip(expected, found, (ORDER + 1, 1, 1), strict=True):
        assert b.shape == (count, columns)
        np.testing.assert_allclose(a, b, atol=CONVERTER_TOLERANCE)


def test_the_converter_is_one_file_and_says_nothing(network, tmp_path, capfd):
    """A bundle is copied file by file; `--json` prints one object and nothing else."""
    export_converter(network, tmp_path / "converter.onnx", features(3))
    assert [file.name for file in tmp_path.iterdir()] == ["converter.onnx"]
    assert capfd.readouterr() == ("", "")


def examples(classes: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    utterance = np.repeat(np.arange(6 * classes), 10)
    labels = utterance % classes
    vectors = rng.normal(size=(classes, 6))[labels] + rng.normal(size=(len(labels), 6))
    if kind == "ill-scaled":
        vectors = vectors * 10.0 ** np.array([-6, -3, 0, 3, 5, 7]) + [0, 0, 0, 1e5, 0, -1e8]
    elif kind == "collinear":
        vectors = np.column_stack((vectors, vectors[:, :2] * 3 + 1, vectors.sum(axis=1)))
    elif kind == "constant":
        vectors = np.column_stack((vectors, np.zeros(len(vectors)), np.full(len(vectors), 7.0)))
    return vectors, labels, utterance


@pytest.mark.parametrize("kind", ["plain", "ill-scaled", "collinear", "constant"])
@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("by_session", [False, True])
def test_onnx_probabilities_are_python_s(tmp_path, classes, kind, by_session):
    """Converters to ONNX are silently wrong for some classifiers, above all for two classes."""
    vectors, labels, utterance = examples(classes, kind)
    sessions = utterance // (3 * classes) if by_session else None
    pipeline = fit_discriminant(vectors, labels, utterance, sessions)
    assert pipeline.weights.shape[1] == (2 * classes if by_session else classes)
    file = tmp_path / "classifier.onnx"
    assert export_classifier(pipeline, file, vectors) <= EXACT
    model = OnnxModel(file)
    far = vectors * 3 - 2 * vectors.mean(axis=0)
    for x in (vectors, far, vectors[:1], vectors[:0]):
        found = model(x)[-1]
        assert found.shape == (len(x), classes)
        if len(x):
            np.testing.assert_allclose(found, pipeline.predict_proba(x), rtol=0, atol=EXACT)


@pytest.mark.parametrize("classes", [2, 3])
def test_trees_decide_in_onnx_as_in_python(tmp_path, classes):
    """Python's trees round to single precision first: a value at a threshold changes sides."""
    vectors, labels, _ = examples(classes, "plain")
    pipeline = fit_forest(vectors, labels, seed=0)
    trees = [one.tree_ for one in pipeline.pipeline[-1].estimators_]
    split = np.concatenate([one.feature for one in trees])
    at = np.concatenate([one.threshold for one in trees])[split >= 0]
    split = split[split >= 0]
    # Just above, just below and at each threshold, closer than single precision tells.
    rows = np.repeat(vectors[:1], 3 * len(at), axis=0)
    rows[np.arange(len(rows)), np.tile(split, 3)] = np.concatenate(
        [at * (1 + side) for side in (-1e-9, 0.0, 1e-9)]
    )
    rows = np.concatenate((rows, vectors))
    file = tmp_path / "forest.onnx"
    assert export_classifier(pipeline, file, rows, single=True) <= CLASSIFIER_TOLERANCE
    np.testing.assert_allclose(
        OnnxModel(file)(rows[:1])[-1], pipeline.predict_proba(rows[:1]), atol=CLASSIFIER_TOLERANCE
    )


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_an_encoder_takes_any_number_of_slices(tmp_path, capfd, count):
    """A window while it rolls has as many as fit; a longer recording has more."""
    torch.manual_seed(0)
    settings = EmbeddingSettings(layers=2, hidden=12, size=5)
    encoder = SpeakerEncoder(RNG.normal(size=COLUMNS), SCALES, settings).eval()
    slices = features(32 * 3).reshape(3, 32, COLUMNS)
    file = tmp_path / "encoder.onnx"
    assert export_encoder(encoder, file, slices) <= ENCODER_TOLERANCE
    assert [one.name for one in tmp_path.iterdir()] == ["encoder.onnx"]
    assert capfd.readouterr() == ("", "")
    x = features(32 * count).reshape(count, 32, COLUMNS)
    (found,) = OnnxModel(file)(x)
    assert found.shape == (count, 5)
    with torch.no_grad():
        expected = encoder(torch.tensor(x, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(found, expected, atol=ENCODER_TOLERANCE)


class Off:
    """A model that is wrong by so much."""

    def __init__(self, model, error: float) -> None:
        self._model, self._error = model, error

    def __call__(self, x):
        return [one + self._error for one in self._model(x)]


@pytest.mark.parametrize("error", [3e-4, float("nan")])
def test_a_converter_that_exports_wrong_is_an_error(network, tmp_path, monkeypatch, error):
    """Training would report figures that no session reaches."""
    monkeypatch.setattr(export, "OnnxModel", lambda file: Off(OnnxModel(file), error))
    with pytest.raises(ExportError, match=r"converter\.onnx: got .*; allowed: at most 0\.0001"):
        export_converter(network, tmp_path / "converter.onnx", features(3))


def test_a_classifier_behind_another_graph_is_compared_on_what_that_makes(tmp_path):
    """What a session runs is the chain; each link could be right and the chain wrong."""
    vectors, labels, utterance = examples(2, "plain")
    pipeline = fit_discriminant(vectors, labels, utterance)
    file = tmp_path / "mode.onnx"
    near = vectors.astype(np.float32).astype(np.float64)
    assert 0 < export_classifier(pipeline, file, vectors, fed=near) < 1e-5
    with pytest.raises(ExportError, match=r"mode\.onnx: got .*; allowed: at most 0\.0001"):
        export_classifier(pipeline, file, vectors, fed=near + 0.01)


@pytest.mark.parametrize("error", [3e-5, float("nan")])
def test_a_classifier_that_exports_wrong_is_an_error(tmp_path, monkeypatch, error):
    """The same for probabilities."""
    vectors, labels, utterance = examples(2, "plain")
    pipeline = fit_discriminant(vectors, labels, utterance)
    monkeypatch.setattr(export, "OnnxModel", lambda file: Off(OnnxModel(file), error))
    with pytest.raises(ExportError, match=r"mode\.onnx: got .*; allowed: at most 1e-05"):
        export_classifier(pipeline, tmp_path / "mode.onnx", vectors)
