"""Converter and gate frame by frame."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.frame_models import FrameModels, SpeechFrames
from models.inference import OnnxModel
from models.signal.stacking import Stacking, StackingSettings


def joined(parts: list[SpeechFrames]) -> SpeechFrames:
    return SpeechFrames(
        np.concatenate([part.mel_cepstrum for part in parts]),
        np.concatenate([part.f0_hz for part in parts]),
        np.concatenate([part.voiced for part in parts]),
    )


def equal(a: SpeechFrames, b: SpeechFrames) -> None:
    np.testing.assert_allclose(a.mel_cepstrum, b.mel_cepstrum, atol=1e-4)
    np.testing.assert_allclose(a.f0_hz, b.f0_hz, rtol=1e-4)
    np.testing.assert_array_equal(a.voiced, b.voiced)


@pytest.fixture
def models(make_bundle) -> FrameModels:
    """A converter with two frames of past and one of future, a gate with three of past."""
    return Bundle.open(make_bundle()).frame_models()


def made(models: FrameModels, parts: list[np.ndarray]) -> tuple[np.ndarray, SpeechFrames]:
    """Run frames, which the converter and the gate see alike, to the end of their epoch."""
    pairs = [models.process(part, part) for part in parts]
    speech = joined([*(speech for _, speech in pairs), models.flush()])
    return np.concatenate([activity for activity, _ in pairs]), speech


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(count=st.integers(1, 40), cuts=st.lists(st.floats(0, 1), max_size=6))
def test_grouping_of_frames_changes_nothing(models, count, cuts):
    """What is heard live is what was measured offline, and the gate opens at the same frame."""
    frames = np.random.default_rng(count).normal(size=(count, 10))
    before = frames.copy()
    activity, whole = made(models, [frames])
    assert activity.shape == (len(whole),) == (count,)
    assert ((activity >= 0) & (activity <= 1)).all()
    for parts in (
        np.split(frames, sorted(round(cut * count) for cut in cuts)),
        [frame[np.newaxis] for frame in frames],
    ):
        same, speech = made(models, parts)
        np.testing.assert_allclose(same, activity, atol=1e-12)
        equal(speech, whole)
    np.testing.assert_array_equal(frames, before)


def test_looks_as_far_ahead_as_it_says(models):
    """Latency is computed from this delay; the gate would cut into the voice if it waited."""
    assert models.delay_s == pytest.approx(0.010)
    frames = np.random.default_rng(0).normal(size=(20, 10))
    later = frames.copy()
    later[11:] += 1
    (before, a), (after, b) = made(models, [frames]), made(models, [later])
    np.testing.assert_allclose(a.mel_cepstrum[:10], b.mel_cepstrum[:10], atol=1e-6)
    assert abs(a.mel_cepstrum[10] - b.mel_cepstrum[10]).max() > 1e-2
    np.testing.assert_allclose(before[:11], after[:11], atol=1e-12)
    assert abs(before[11] - after[11]) > 1e-3


def test_an_epoch_knows_nothing_of_the_last(models):
    """A gap or a new utterance would begin with the sounds of the one before."""
    frames = np.random.default_rng(0).normal(size=(8, 10))
    activity, first = made(models, [frames])
    models.process(frames[:3] + 1, frames[:3] + 1)
    models.reset()
    same, again = made(models, [frames])
    np.testing.assert_array_equal(same, activity)
    equal(again, first)


def test_no_frames_give_no_speech(models):
    """A chunk shorter than a frame is no error, and neither is an epoch without one."""
    activity, speech = models.process(np.empty((0, 10)), np.empty((0, 10)))
    assert activity.shape == (0,)
    for none in (speech, models.flush()):
        assert none.mel_cepstrum.shape == (0, 5)
        assert none.f0_hz.shape == none.voiced.shape == (0,)
        assert none.voiced.dtype == np.bool_


def test_frequencies_are_positive_and_voicing_obeys_its_threshold(make_bundle):
    """The vocoder takes F0 in hertz, and the threshold is the manifest's."""
    bundle = Bundle.open(make_bundle(lambda p: p["converter"].update(voicing_threshold=0.0)))
    frames = np.random.default_rng(0).normal(size=(30, 10))
    _, speech = bundle.frame_models().process(frames, frames)
    assert speech.voiced.all()
    assert (speech.f0_hz > 0).all()


@pytest.fixture(scope="module", params=["apart", "together"])
def remembering(request, tmp_path_factory):
    """A converter that adds up what it has seen, and a gate that says whether it moved.

    Each a graph of its own, or both one.
    """
    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("remembering")
    if request.param == "together":
        nodes, inputs, outputs, weights = (
            a + b for a, b in zip(adding_up(), moving("context"), strict=True)
        )
        total, after = inputs.pop(1), outputs.pop(3)
        return loaded(folder, nodes, [*inputs, total], [*outputs, after], weights), None
    return loaded(folder, *adding_up()), loaded(folder, *moving("features"))


def adding_up():
    """Nodes, inputs, outputs and weights of the converter."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("CumSum", ["features", "axis"], ["sums"]),
        helper.make_node("Add", ["sums", "total"], ["mel_cepstrum"]),
        helper.make_node("ReduceSum", ["mel_cepstrum", "minus"], ["log_f0"], keepdims=1),
        helper.make_node("Sigmoid", ["log_f0"], ["voicing"]),
        helper.make_node("Gather", ["mel_cepstrum", "last"], ["total_after"], axis=0),
    ]
    weights = [
        helper.make_tensor("axis", TensorProto.INT64, [], [0]),
        helper.make_tensor("last", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("minus", TensorProto.INT64, [1], [1]),
    ]
    inputs = [info("features", ["n", 2]), info("total", [1, 2])]
    said = [("mel_cepstrum", 2), ("log_f0", 1), ("voicing", 1)]
    outputs = [info(name, ["n", columns]) for name, columns in said]
    return nodes, inputs, [*outputs, info("total_after", [1, 2])], weights


def moving(name):
    """Nodes, inputs, outputs and weights of the gate: by how much the last two frames differ."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("MatMul", [name, "difference"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    matrix = np.array([[1.0, -1.0], [0, 0], [-1, 1], [0, 0]])
    weights = [helper.make_tensor("difference", TensorProto.DOUBLE, matrix.shape, matrix.ravel())]
    double = TensorProto.DOUBLE
    return nodes, [info(name, ["n", 4], double)], [info("probabilities", ["n", 2], double)], weights


def info(name, shape, kind=1):
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape)


def loaded(folder, nodes, inputs, outputs, weights):
    from onnx import checker, helper

    graph = helper.make_graph(nodes, "toy", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    path = folder / f"{len(list(folder.iterdir()))}.onnx"
    path.write_bytes(model.SerializeToString())
    return OnnxModel(path)


def stacking(past):
    return Stacking(StackingSettings(past, 0), 0.01, 2)


@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize("sizes", [(), (0, 1, 0, 2), (1,) * 20, (7, 7)])
def test_what_it_remembers_does_not_depend_on_the_chunks(remembering, ahead, sizes):
    """Live speech would differ from the speech that was measured offline."""
    converter, gate = remembering
    frames = np.arange(40.0).reshape(20, 2) ** 1.5 / 1000
    models = FrameModels(converter, stacking(0), gate, stacking(1), 0.5, ahead)
    heard = np.concatenate((frames, np.repeat(frames[-1:], ahead, axis=0)))
    expected = np.cumsum(heard, axis=0)[ahead:]
    moved = np.diff(frames[:, 0], prepend=frames[0, 0])
    cuts = np.cumsum(sizes, dtype=int)
    for _ in range(2):  # and a second epoch begins from nothing
        activity, speech = made(models, np.split(frames, cuts))
        assert len(speech) == len(frames)
        np.testing.assert_allclose(speech.mel_cepstrum, expected, rtol=1e-6)
        np.testing.assert_allclose(activity, 1 / (1 + np.exp(-2 * moved)), rtol=1e-9)


def test_f0_is_in_double_precision(remembering):
    """The voice of a machine without a compiler would differ in its last bits from any other."""
    converter, gate = remembering
    frames = np.arange(14.0).reshape(7, 2) / 30
    _, speech = made(FrameModels(converter, stacking(0), gate, stacking(1), 0.5), [frames])
    log_f0 = speech.mel_cepstrum.astype(np.float32).sum(axis=1).astype(np.float64)
    np.testing.assert_allclose(speech.f0_hz, np.exp(log_f0), rtol=1e-12)


def test_what_it_waits_for_counts_as_delay(remembering):
    """The latency report would leave out the look-ahead."""
    converter, gate = remembering
    models = FrameModels(converter, stacking(0), gate, stacking(1), 0.5, 15)
    assert models.delay_s == pytest.approx(0.15)
