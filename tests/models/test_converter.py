"""The converter frame by frame."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.converter import Converter, SpeechFrames
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
def converter(make_bundle) -> Converter:
    """With two frames of past and one of future."""
    return Bundle.open(make_bundle()).converter()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(count=st.integers(1, 40), cuts=st.lists(st.floats(0, 1), max_size=6))
def test_grouping_of_frames_changes_nothing(converter, count, cuts):
    """What is heard live is what was measured offline."""
    frames = np.random.default_rng(count).normal(size=(count, 10))
    before = frames.copy()
    whole = joined([converter.process(frames), converter.flush()])
    assert len(whole) == count
    parts = np.split(frames, sorted(round(cut * count) for cut in cuts))
    equal(joined([*(converter.process(part) for part in parts), converter.flush()]), whole)
    alone = [converter.process(frame[np.newaxis]) for frame in frames]
    equal(joined([*alone, converter.flush()]), whole)
    np.testing.assert_array_equal(frames, before)


def test_looks_as_far_ahead_as_it_says(converter):
    """Latency is computed from this delay."""
    assert converter.delay_s == pytest.approx(0.010)
    frames = np.random.default_rng(0).normal(size=(20, 10))
    later = frames.copy()
    later[11:] += 1
    a = joined([converter.process(frames), converter.flush()]).mel_cepstrum
    b = joined([converter.process(later), converter.flush()]).mel_cepstrum
    np.testing.assert_allclose(a[:10], b[:10], atol=1e-6)
    assert abs(a[10] - b[10]).max() > 1e-2


def test_an_epoch_knows_nothing_of_the_last(converter):
    """A gap or a new utterance would begin with the sounds of the one before."""
    frames = np.random.default_rng(0).normal(size=(8, 10))
    first = joined([converter.process(frames), converter.flush()])
    equal(joined([converter.process(frames), converter.flush()]), first)
    converter.process(frames[:3])
    converter.reset()
    equal(joined([converter.process(frames), converter.flush()]), first)


def test_no_frames_give_no_speech(converter):
    """A chunk shorter than a frame is no error, and neither is an epoch without one."""
    for none in (converter.process(np.empty((0, 10))), converter.flush()):
        assert none.mel_cepstrum.shape == (0, 5)
        assert none.f0_hz.shape == none.voiced.shape == (0,)
        assert none.voiced.dtype == np.bool_


def test_frequencies_are_positive_and_voicing_obeys_its_threshold(make_bundle):
    """The vocoder takes F0 in hertz, and the threshold is the manifest's."""
    bundle = Bundle.open(make_bundle(lambda p: p["converter"].update(voicing_threshold=0.0)))
    speech = bundle.converter().process(np.random.default_rng(0).normal(size=(30, 10)))
    assert speech.voiced.all()
    assert (speech.f0_hz > 0).all()


@pytest.fixture(scope="module")
def remembering(tmp_path_factory):
    """A converter's graph that adds up what it has seen, and says it three frames later."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    axis = helper.make_tensor("axis", TensorProto.INT64, [], [0])
    last = helper.make_tensor("last", TensorProto.INT64, [1], [-1])
    graph = helper.make_graph(
        [
            helper.make_node("CumSum", ["features", "axis"], ["sums"]),
            helper.make_node("Add", ["sums", "total"], ["mel_cepstrum"]),
            helper.make_node("ReduceSum", ["mel_cepstrum", "minus"], ["log_f0"], keepdims=1),
            helper.make_node("Sigmoid", ["log_f0"], ["voicing"]),
            helper.make_node("Gather", ["mel_cepstrum", "last"], ["total_after"], axis=0),
        ],
        "remembering",
        [info("features", ["n", 2]), info("total", [1, 2])],
        [
            info("mel_cepstrum", ["n", 2]),
            info("log_f0", ["n", 1]),
            info("voicing", ["n", 1]),
            info("total_after", [1, 2]),
        ],
        [axis, last, helper.make_tensor("minus", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path = tmp_path_factory.mktemp("remembering") / "converter.onnx"
    path.write_bytes(model.SerializeToString())
    return OnnxModel(path)


def made_of(converter, frames, sizes):
    parts, first = [], 0
    for size in sizes:
        parts.append(converter.process(frames[first : first + size]))
        first += size
    parts.append(converter.process(frames[first:]))
    parts.append(converter.flush())
    return np.concatenate([one.mel_cepstrum for one in parts])


@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize("sizes", [(), (0, 1, 0, 2), (1,) * 20, (7, 7)])
def test_what_it_remembers_does_not_depend_on_the_chunks(remembering, ahead, sizes):
    """Live speech would differ from the speech that was measured offline."""
    frames = np.arange(40.0).reshape(20, 2) / 100
    converter = Converter(remembering, Stacking(StackingSettings(0, 0), 0.01, 2), 0.5, ahead)
    heard = np.concatenate((frames, np.repeat(frames[-1:], ahead, axis=0)))
    expected = np.cumsum(heard, axis=0)[ahead:]
    for _ in range(2):  # and a second epoch begins from nothing
        made = made_of(converter, frames, sizes)
        assert len(made) == len(frames)
        np.testing.assert_allclose(made, expected, rtol=1e-6)


def test_what_it_waits_for_counts_as_delay(remembering):
    """The latency report would leave out the look-ahead."""
    stacking = Stacking(StackingSettings(0, 0), 0.01, 2)
    assert Converter(remembering, stacking, 0.5, 15).delay_s == pytest.approx(0.15)
