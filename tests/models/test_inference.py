"""What graphs say that cannot be right: refused at once, a gap that is counted later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="graphs are made with the extra [train]")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from models.bundle import Bundle, BundleError  # noqa: E402
from models.inference import OnnxModel  # noqa: E402

MakeBundle = Callable[..., Path]

LIMIT = 50.0
"""Of the sum of a row: what is above makes the graph say what cannot be right."""

WRONG = {"nan": np.nan, "infinite": np.inf, "far out": 1e30, "far below": -1e30}


def spoil(file: Path, output: str, value: float, limit: float = LIMIT) -> None:
    """Let a graph say a value in one of its outputs, for rows whose sum is above a limit."""
    model = onnx.load(file)
    graph = model.graph
    kinds = {one.name: one.type.tensor_type.elem_type for one in (*graph.input, *graph.output)}
    rows = next(one.name for one in graph.input if one.name in ("features", "slices"))
    shape = next(one for one in graph.input if one.name == rows).type.tensor_type.shape
    for node in graph.node:
        node.output[:] = ["computed" if name == output else name for name in node.output]
        node.input[:] = ["computed" if name == output else name for name in node.input]
    number = helper.tensor_dtype_to_np_dtype(kinds[output])
    for name, content in (
        ("limit", np.array(limit, helper.tensor_dtype_to_np_dtype(kinds[rows]))),
        ("wrong", np.array(value, number)),
        ("columns", np.arange(1, len(shape.dim))),
    ):
        graph.initializer.append(numpy_helper.from_array(content, name))
    if len(shape.dim) > 2:  # slices
        graph.node.append(helper.make_node("Flatten", [rows], ["flat"]))
        graph.initializer.pop()
        graph.initializer.append(numpy_helper.from_array(np.array([1]), "columns"))
    source = "flat" if len(shape.dim) > 2 else rows
    graph.node.extend(
        [
            helper.make_node("ReduceSum", [source, "columns"], ["of_row"], keepdims=1),
            helper.make_node("Greater", ["of_row", "limit"], ["above"]),
            helper.make_node("Where", ["above", "wrong", "computed"], [output]),
        ]
    )
    onnx.save(model, file)


def let_fail(file: Path, how: str) -> None:
    """Let a graph fail for rows whose sum is above the limit, in the way that is named."""
    model = onnx.load(file)
    graph = model.graph
    graph.output[0].type.tensor_type.shape.dim[0].dim_param = "other"
    output = graph.output[0].name
    for node in graph.node:
        node.output[:] = ["computed" if name == output else name for name in node.output]
    for name, content in (
        ("limit", np.array(LIMIT, np.float32)),
        ("one", np.array([1])),
        ("ends", np.array([2**31])),
        ("first", np.array([0])),
        ("far", np.array(2**62)),
        ("zeros", np.zeros(2, np.float32)),
    ):
        graph.initializer.append(numpy_helper.from_array(content, name))
    ways = {
        "place": [helper.make_node("Gather", ["zeros", "size"], ["failed"])],
        "memory": [
            helper.make_node("ConstantOfShape", ["counts"], ["filled"]),
            helper.make_node("ReduceSum", ["filled"], ["failed"]),
        ],
        "rows": [helper.make_node("Identity", ["zeros"], ["failed"])],
    }
    start = "counts" if how == "rows" else "first"
    graph.node.extend(
        [
            helper.make_node("ReduceSum", ["features", "one"], ["of_row"], keepdims=1),
            helper.make_node("ReduceMax", ["of_row"], ["highest"], keepdims=0),
            helper.make_node("Greater", ["highest", "limit"], ["above"]),
            helper.make_node("Cast", ["above"], ["number"], to=TensorProto.INT64),
            helper.make_node("Mul", ["number", "one" if how == "rows" else "far"], ["size"]),
            helper.make_node("Reshape", ["size", "one"], ["counts"]),
            *ways[how],
            helper.make_node("ReduceMin", ["failed"], ["nothing"], keepdims=0),
            helper.make_node("Add", ["computed", "nothing"], ["whole"]),
            helper.make_node("Slice", ["whole", start, "ends", "first"], [output]),
        ]
    )
    onnx.save(model, file)


PLACES = [
    ("converter.onnx", "mel_cepstrum"),
    ("converter.onnx", "log_f0"),
    ("converter.onnx", "voicing"),
    ("activity.onnx", "probabilities"),
    ("mode.onnx", "probabilities"),
    ("speaker.onnx", "probabilities"),
    ("forest.onnx", "probabilities"),
    ("encoder.onnx", "embedding"),
    ("embedding.onnx", "probabilities"),
]


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("file", "output"), PLACES)
def test_a_model_that_is_wrong_at_once_is_refused(
    make_bundle: MakeBundle,
    three_speakers: Callable[[Any], None],
    file: str,
    output: str,
    value: float,
) -> None:
    """A session would be silent from its first frame to its last, and die as it ends."""
    path = make_bundle(three_speakers)
    spoil(path / file, output, value, limit=-np.inf)
    with pytest.raises(BundleError, match="numbers that cannot be right") as caught:
        Bundle.open(path)
    assert file in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [1.5, -0.5])
def test_a_probability_lies_between_0_and_1(make_bundle: MakeBundle, value: float) -> None:
    """An estimate of 150 % would be shown, and the gate never close."""
    path = make_bundle()
    spoil(path / "activity.onnx", "probabilities", value, limit=-np.inf)
    with pytest.raises(BundleError, match="cannot be right"):
        Bundle.open(path)


def test_a_probability_must_be_called_so(make_bundle: MakeBundle) -> None:
    """Under another name nobody would know that it is one."""
    path = make_bundle()
    model = onnx.load(path / "mode.onnx")
    for node in model.graph.node:
        node.output[:] = [name.replace("probabilities", "mine") for name in node.output]
    model.graph.output[1].name = "mine"
    onnx.save(model, path / "mode.onnx")
    with pytest.raises(BundleError, match=r"mode\.onnx.*got mine; allowed: probabilities"):
        Bundle.open(path)


@pytest.fixture(params=["apart", "together"])
def kind(request: pytest.FixtureRequest, one_graph: Callable[[Any], None]) -> Any:
    """Converter and gate: two graphs that look around, or one that remembers."""
    return (lambda part: None) if request.param == "apart" else one_graph


def spoilt(make_bundle: MakeBundle, change: Callable[[Any], None], value: float) -> Bundle:
    """A bundle that is right for ordinary frames only."""
    path = make_bundle(change)
    for file in ("converter.onnx", "with_gate.onnx", "frame.onnx"):
        spoil(path / file, "mel_cepstrum", value)
    spoil(path / "activity.onnx", "probabilities", value, limit=4 * LIMIT)
    return Bundle.open(path)


def run(bundle: Bundle, frames: np.ndarray, cuts: Any) -> tuple[np.ndarray, np.ndarray, int]:
    models = bundle.frame_models()
    said = [models.process(part, part) for part in np.split(frames, cuts)]
    mel = np.concatenate([one.mel_cepstrum for _, one in said] + [models.flush().mel_cepstrum])
    return mel, np.concatenate([one for one, _ in said]), models.implausible_frames


@pytest.mark.parametrize("how", ["place", "memory", "rows"])
def test_frames_that_a_graph_fails_for_are_a_gap(
    make_bundle: MakeBundle, kind: Any, capfd: pytest.CaptureFixture[str], how: str
) -> None:
    """A graph that fails after an hour would take the session and all that was said with it."""
    path = make_bundle(kind)
    for file in ("converter.onnx", "with_gate.onnx", "frame.onnx"):
        let_fail(path / file, how)
    bundle = Bundle.open(path)
    frames = np.random.default_rng(1).normal(size=(60, 10)) / 10
    frames[20:23] = 30.0
    whole, activity, count = run(bundle, frames, [])
    assert 3 <= count <= 20
    assert not np.isnan(whole[[*range(15), *range(40, 60)]]).any()
    assert not np.isnan(activity[40:]).any()
    for cuts in (range(1, 60), [7, 8, 21, 22, 40]):
        mel, _, counted = run(bundle, frames, cuts)
        np.testing.assert_allclose(mel, whole, atol=1e-4)
        assert counted == count
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_frames_that_cannot_be_right_are_a_gap(
    make_bundle: MakeBundle, kind: Any, value: float
) -> None:
    """They would reach the voice, or the summary would die of them at the end."""
    bundle = spoilt(make_bundle, kind, value)
    frames = np.random.default_rng(1).normal(size=(60, 10)) / 10
    frames[20:23] = 30.0
    whole, activity, count = run(bundle, frames, [])
    gone = np.isnan(whole).any(axis=1)
    assert gone.any()
    assert count
    assert not np.isnan(whole[:15]).any()
    assert not np.isnan(whole[40:]).any()
    assert (np.isnan(whole).all(axis=1) == gone).all()
    assert not np.isnan(activity[40:]).any()
    for cuts in (range(1, 60), [7, 8, 21, 22, 40]):  # live, frames come one by one
        mel, same, counted = run(bundle, frames, cuts)
        np.testing.assert_allclose(mel, whole, atol=1e-4)
        np.testing.assert_allclose(same, activity, atol=1e-9)
        assert counted == count


def test_what_was_remembered_is_forgotten(
    make_bundle: MakeBundle, one_graph: Callable[[Any], None]
) -> None:
    """One frame that is no number would be heard to the end of the session."""
    bundle = spoilt(make_bundle, one_graph, np.nan)
    frames = np.zeros((30, 10))
    frames[5] = 0.5  # what it adds up
    frames[10] = 30.0
    mel, _, count = run(bundle, frames, range(1, 30))
    assert count == 1
    assert bundle.manifest.converter.ahead == 2
    assert np.flatnonzero(np.isnan(mel).any(axis=1)).tolist() == [8, 9, 10]  # and what it hears
    assert abs(mel[5:8]).max() > 0
    assert abs(mel[11:]).max() == 0


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["lda", "forest", "embedding"])
def test_answers_that_cannot_be_right_are_none(
    make_bundle: MakeBundle, three_speakers: Callable[[Any], None], name: str, value: float
) -> None:
    """Somebody would be named, by a model that has said nothing."""
    path = make_bundle(three_speakers)
    rng = np.random.default_rng(0)
    samples, frames = rng.normal(size=(600, 2)), np.ones((100, 10))
    ordinary = Bundle.open(path, "forest").speaker
    assert ordinary is not None
    spoil(path / "speaker.onnx", "probabilities", value, limit=1e4)
    usual = float(ordinary.features(samples, frames).sum())
    spoil(path / "forest.onnx", "probabilities", value, limit=usual + 150)
    spoil(path / "encoder.onnx", "embedding", value, limit=1e5)
    speaker = Bundle.open(path, name).speaker
    assert speaker is not None
    assert np.isfinite(speaker.utterance(samples, frames)).all()
    wild = speaker.features(samples * 1e9, frames * 1e9)
    assert np.isnan(speaker.probabilities(wild)).all()
    assert np.isnan(speaker.utterance(samples * 1e9, frames * 1e9)).all()
    mixed = np.concatenate((frames, frames, frames * 1e9))
    longer = np.concatenate((samples, samples, samples * 1e9))
    assert np.isfinite(speaker.utterance(longer, mixed)).all()  # by its other windows


def test_what_is_made_of_no_numbers_is_none(tmp_path: Path) -> None:
    """A tree compares NaN with a threshold and is sure of the answer."""
    rows = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])
        for name in ("features", "probabilities")
    ]
    nodes = [
        helper.make_node("Greater", ["features", "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["probabilities"], to=TensorProto.FLOAT),
    ]
    zero = numpy_helper.from_array(np.array(0, dtype=np.float32), "zero")
    graph = helper.make_graph(nodes, "sure", rows[:1], rows[1:], [zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "sure.onnx").write_bytes(model.SerializeToString())
    features = np.array([[1.0, -1.0], [np.nan, 1.0], [1.0, np.inf]])
    (said,) = OnnxModel(tmp_path / "sure.onnx")(features)
    np.testing.assert_array_equal(said, [[1, 0], [np.nan, np.nan], [np.nan, np.nan]])
