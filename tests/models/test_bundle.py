"""A bundle opened: what it builds, and what it says when it cannot be used."""

import json
import shutil

import numpy as np
import pytest

from drivers.errors import SignalMismatchError, StreamerError
from models.bundle import Bundle, BundleError, packaged_bundle
from models.manifest import Manifest

onnx = pytest.importorskip("onnx", reason="graphs are made with the extra [train]")

CHANNELS = ("EMG1", "EMG2")
FILES = [f"{part}.onnx" for part in ("converter", "activity", "mode", "speaker", "forest")]
FILES += ["encoder.onnx", "embedding.onnx"]


def one_line(error: StreamerError, *parts: str) -> bool:
    text = str(error)
    assert "\n" not in text
    return all(part in text for part in parts)


def test_opens_and_builds_what_the_manifest_says(make_bundle):
    """Nothing runs without it."""
    bundle = Bundle.open(make_bundle())
    emg = np.random.default_rng(0).normal(300, 50, (600, 2))
    emg_frames = bundle.emg_frames()
    samples, frames, _ = emg_frames.process(emg)
    assert abs(samples[0]).max() < 1e-6  # settled on the first sample
    frames = np.concatenate((frames, emg_frames.flush()[0]))
    models = bundle.frame_models()
    activity, speech = models.process(frames, frames)
    assert activity.shape == (len(frames),)
    assert speech.mel_cepstrum.shape == (len(frames) - 1, 5)
    assert len(models.flush()) == 1
    assert bundle.vocoder().process(speech.mel_cepstrum, speech.f0_hz, speech.voiced).size
    assert bundle.mode is not None
    assert bundle.speaker is not None
    assert bundle.mode.labels == ("audible", "whispered", "silent")
    assert bundle.mode.utterance(samples, frames).shape == (3,)
    assert bundle.speaker.utterance(samples, frames).shape == (2,)


def test_classifiers_may_be_missing(make_bundle):
    """A corpus of one speaker in one mode has nothing to tell apart, and still a voice."""
    bundle = Bundle.open(make_bundle(lambda part: part.update(mode=None, speaker=None)))
    assert bundle.mode is None
    assert bundle.speaker is None


@pytest.mark.parametrize("name", ["lda", "forest", "embedding"])
def test_the_speaker_classifier_that_is_asked_for_runs(make_bundle, three_speakers, name):
    """Whoever compares two of them would compare one with itself."""
    path = make_bundle(three_speakers)
    bundle = Bundle.open(path, speaker=name)
    assert list(bundle.speakers) == ["lda", "forest", "embedding"]
    assert bundle.speaker is bundle.speakers[name]
    assert bundle.speaker.name == name
    assert Bundle.open(path).speaker.name == "lda"  # the first one by itself
    samples, frames = np.random.default_rng(0).normal(size=(600, 2)), np.ones((100, 10))
    said = {one.utterance(samples, frames)[0] for one in bundle.speakers.values()}
    assert len(said) == 3


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (lambda part: None, "lda"),
        (lambda part: part.update(speaker=None), "null: it tells no speakers apart"),
    ],
)
def test_an_unknown_speaker_classifier_is_said_with_those_there_are(make_bundle, change, allowed):
    """A typing error would end in a traceback, or in another classifier's answers."""
    path = make_bundle(change)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path, speaker="forest")
    assert one_line(caught.value, str(path), "got forest", f"allowed: {allowed}", "train.speakers")


def test_a_bundle_from_before_there_was_a_choice_has_one(make_bundle):
    """People would have to train again what took them minutes."""
    path = make_bundle()
    text = (path / "manifest.json").read_text()
    assert not any(key in text for key in ("other_speakers", "encoder", '"name": "lda"'))
    assert list(Bundle.open(path, "lda").speakers) == ["lda"]
    assert "lda" in Bundle.open(packaged_bundle()).speakers


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda part: part.update(other_speakers=[part["speaker"]]),
            "two speaker classifiers have the same name",
        ),
        (
            lambda part: part["speaker"].update(features=["embedding"]),
            "features 'embedding' and an encoder belong together",
        ),
        (
            lambda part: part["speaker"].update(
                encoder={"file": "encoder.onnx", "slice_frames": 32, "slice_shift": 16}
            ),
            "features 'embedding' and an encoder belong together",
        ),
        (
            lambda part: part["speaker"].update(features=["evidence"], bands={"shift_s": 0.02}),
            "bands of a speaker classifier have another shift than the features",
        ),
        (
            lambda part: part["mode"].update(features=["evidence"], bands={}),
            "features 'evidence' tell speakers only",
        ),
    ],
)
def test_speaker_classifiers_that_contradict_are_refused(make_bundle, change, named):
    """One of them would silently stand for the other, or fail in mid-session."""
    path = make_bundle(change)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, str(path / "manifest.json"), named)


def test_operators_share_no_state(make_bundle):
    """Two sessions with one bundle would hear each other."""
    bundle = Bundle.open(make_bundle())
    rng = np.random.default_rng(0)
    emg, frames = rng.normal(size=(60, 2)), rng.normal(size=(8, 10))
    bundle.emg_frames().process(emg * 2)
    for one, other in zip(*(bundle.emg_frames().process(emg) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(one, other)
    bundle.frame_models().process(frames + 1, frames + 1)
    fresh, again = (bundle.frame_models().process(frames, frames) for _ in range(2))
    np.testing.assert_array_equal(again[0], fresh[0])
    np.testing.assert_array_equal(again[1].mel_cepstrum, fresh[1].mel_cepstrum)


@pytest.mark.parametrize(
    ("future", "lead_ms", "expected_ms"),
    [(0, 0.0, 0.0), (3, 0.0, 30.0), (0, 20.0, -20.0), (3, 40.0, -10.0), (0, 14.0, -10.0)],
)
def test_algorithmic_latency_follows_from_the_settings(make_bundle, future, lead_ms, expected_ms):
    """A figure that users trust would be wrong; a lead is counted in whole frames."""

    def change(part):
        part["converter"]["stacking"] = {"past": 3 - future, "future": future}
        part["converter"]["lead_ms"] = lead_ms

    bundle = Bundle.open(make_bundle(change))
    # The EMG frame and its smoothing, from its begin; speech frame 0 has its centre at 13.5 ms.
    frame_ms, smoothing_ms, centre_ms, hop_ms = 16 / 0.6, 8 / 0.6, 13.5, 10.0
    without = frame_ms + smoothing_ms - centre_ms + hop_ms
    assert bundle.algorithmic_latency_ms == pytest.approx(without + expected_ms)
    assert bundle.lead_frames == round(lead_ms / 10)


def test_low_delay_features_wait_for_nothing_but_their_frame(make_bundle):
    """What they save would not be seen in any figure."""

    def change(part):
        part["converter"]["stacking"] = {"past": 3, "future": 0}
        part["features"]["smoothing"] = "past"

    bundle = Bundle.open(make_bundle(change))
    assert bundle.algorithmic_latency_ms == pytest.approx(16 / 0.6 - 13.5 + 10.0)


def test_manifest_survives_writing_and_reading(make_bundle):
    """Training writes what a session reads."""
    bundle = Bundle.open(make_bundle())
    again = Manifest.model_validate_json(bundle.manifest.model_dump_json())
    assert again == bundle.manifest


def test_fitting_signals_pass(make_bundle):
    """Devices name their inputs as they like."""
    bundle = Bundle.open(make_bundle())
    bundle.check(600.0, CHANNELS)
    bundle.check(600.0, ("left", "right"))


@pytest.mark.parametrize(
    ("rate_hz", "channels", "named"),
    [
        (1000.0, CHANNELS, ("1000 Hz", "600 Hz", "a bundle that was trained at 1000 Hz on 2")),
        (600.0, ("A", "B", "C"), ("3 channels (A, B, C)", "2 channels (EMG1, EMG2)")),
        (600.0, ("A", "B", "C"), ("name 2 of its channels (live.channels)", "on 3 channels")),
        (600.0, ("EMG2", "EMG1"), ("EMG2, EMG1", "EMG1, EMG2", "order")),
        (600.0, (), ("0 channels", "2 channels")),
    ],
)
def test_other_signals_are_refused_with_both_sides(make_bundle, rate_hz, channels, named):
    """A voice made of the wrong muscles sounds like one of the right ones."""
    bundle = Bundle.open(make_bundle())
    with pytest.raises(SignalMismatchError) as caught:
        bundle.check(rate_hz, channels)
    assert one_line(caught.value, "small", *named)


def test_no_bundle_names_the_way_out(tmp_path):
    """Whoever mistypes a path learns how to get a bundle."""
    for path, what in ((tmp_path, "manifest.json"), (tmp_path / "nothing", "such directory")):
        with pytest.raises(BundleError) as caught:
            Bundle.open(path)
        assert one_line(caught.value, str(path), f"got no {what}", "streamer train")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "not JSON"),
        ('{"format": "streamer bundle", ', "not JSON"),
        (b"\xff\xfe\x00", "got no text; allowed: JSON"),
        ("[1, 2]", "got None"),
        ('{"name": "left-pad", "version": "1.0.0"}', "got None"),
        ('{"format": "somebody else\'s", "version": 1}', "somebody else's"),
        ('{"format": "streamer bundle", "version": 1}', "Field required"),
    ],
)
def test_a_foreign_or_damaged_manifest_is_refused(tmp_path, content, named):
    """No traceback for another program's manifest.json, or half a copy of ours."""
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(BundleError) as caught:
        Bundle.open(tmp_path)
    assert one_line(caught.value, str(tmp_path / "manifest.json"), named)


@pytest.mark.parametrize(
    ("place", "key", "value", "named"),
    [
        ((), "extra", 1, "extra"),
        ((), "version", 3, "version"),
        (("converter",), "recurrent", True, "converter.recurrent"),
        (("features",), "log2", True, "features.log2"),
        (("converter", "stacking"), "paast", 3, "converter.stacking.paast"),
        (("conditioning",), "notch_hz", 50, "conditioning.notch_hz"),
        (("converter", "stacking"), "past", -1, "converter.stacking.past"),
        (("converter",), "lead_ms", -10.0, "converter.lead_ms"),
        (("converter",), "f0_coding", "linear", "converter.f0_coding"),
        (("activity",), "threshold", float("nan"), "NaN is no number of JSON"),
        (("activity",), "threshold", None, "activity.threshold"),
        (("activity",), "file", "converter.onnx", "contradiction in "),
        (("converter",), "frame_file", "frame.onnx", "version 1 has no gate in a converter"),
        (("activity", "stacking"), "future", 1, "the gate's stacking looks ahead"),
        (("signal",), "rate_hz", 0.0, "signal.rate_hz"),
        (("signal",), "channels", [], "signal.channels"),
        (("signal",), "unit", "mV", "signal.unit"),
        (("mode",), "features", ["spectral"], "mode.features.0"),
    ],
)
def test_a_manifest_that_is_not_understood_is_refused(make_bundle, place, key, value, named):
    """A setting that is ignored makes the signal chain another than in training."""

    def change(part):
        for step in place:
            part = part[step]
        part[key] = value

    path = make_bundle(change)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, str(path / "manifest.json"), named)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("stacking", {"past": 0, "future": 1}, "cannot have the gate in it"),
        ("states", {}, "a frame_file is of a converter with states"),
    ],
)
def test_forms_and_gates_that_contradict_are_refused(make_bundle, one_graph, key, value, named):
    """Frames and their gate would not belong together."""

    def change(part):
        one_graph(part)
        part["converter"][key] = value

    with pytest.raises(BundleError) as caught:
        Bundle.open(make_bundle(change))
    assert one_line(caught.value, named)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "text"])
def test_a_missing_or_damaged_model_is_named(make_bundle, three_speakers, capfd, file, damage):
    """Half a copied bundle says which half is missing, in one line."""
    path = make_bundle(three_speakers)
    model = path / file
    if damage == "missing":
        model.unlink()
    else:
        content = {"truncated": model.read_bytes()[:-40], "empty": b"", "text": b"404 not found"}
        model.write_bytes(content[damage])
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, file, "train")
    assert capfd.readouterr() == ("", "")  # ONNX Runtime does not add lines of its own


@pytest.mark.parametrize(
    ("file", "other"),
    [
        ("converter.onnx", "activity.onnx"),
        ("activity.onnx", "converter.onnx"),
        ("activity.onnx", "mode.onnx"),
        ("mode.onnx", "speaker.onnx"),
        ("speaker.onnx", "mode.onnx"),
        ("embedding.onnx", "speaker.onnx"),
        ("encoder.onnx", "embedding.onnx"),
    ],
)
def test_a_model_of_another_shape_is_refused_at_once(
    make_bundle, three_speakers, capfd, file, other
):
    """Otherwise a session dies at its first frame, with a traceback."""
    path = make_bundle(three_speakers)
    (path / file).write_bytes((path / other).read_bytes())
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, file, "manifest", "train")
    assert capfd.readouterr() == ("", "")


def test_a_converter_without_the_gate_that_it_should_have_is_refused(make_bundle, one_graph):
    """The voice would never be heard, or always."""

    path = make_bundle(one_graph)
    (path / "with_gate.onnx").write_bytes((path / "remembering.onnx").read_bytes())
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "with_gate.onnx", "got ['features']", "'context'", "manifest")


def test_two_forms_of_a_converter_must_be_of_the_same(make_bundle, one_graph):
    """A live session would have another voice, or another gate, than its replay."""
    path = make_bundle(one_graph)
    Bundle.open(path)
    frame_file = path / "frame.onnx"
    for other, said in (
        ("another_frame.onnx", "something else for frames that come one by one"),
        ("mode.onnx", "does not fit its manifest"),
        ("remembering.onnx", "does not fit its manifest"),
    ):
        frame_file.write_bytes((path / other).read_bytes())
        with pytest.raises(BundleError) as caught:
            Bundle.open(path)
        assert one_line(caught.value, "with_gate.onnx or frame.onnx", said)
    frame_file.unlink()
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "model frame.onnx", "no such file")


def test_the_form_for_one_frame_must_remember_all(tmp_path):
    """It would go another way than the replay, but only after a while."""
    path = tmp_path / "forgetful"
    shutil.copytree(packaged_bundle(), path)
    file = path / Bundle.open(path).manifest.converter.frame_file
    graph = onnx.load(file)
    _, numbers = Bundle.open(path).manifest.converter.states["past"]
    known = np.ones((1, numbers), np.float32)
    known[0, -1000:-500] = 0.0  # neither its newest frames nor its oldest
    for node in graph.graph.node:
        node.input[:] = ["kept" if name == "past" else name for name in node.input]
    graph.graph.node.insert(0, onnx.helper.make_node("Mul", ["past", "known"], ["kept"]))
    graph.graph.initializer.append(onnx.numpy_helper.from_array(known, "known"))
    onnx.save(graph, file)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "something else for frames that come one by one")


def wrapped(graph, node, name):
    """Put a node between what a graph computes and what it says under a name."""
    for one in graph.graph.node:
        one.output[:] = ["computed" if said == name else said for said in one.output]
    graph.graph.node.append(onnx.helper.make_node(node, ["computed"], [name]))


def test_the_form_for_one_frame_must_keep_its_memory_as_the_other_does(make_bundle, one_graph):
    """Frame by frame, and in a replay, all is well; live, two frames at once break the voice."""
    path = make_bundle(one_graph)
    file = path / "frame.onnx"
    graph = onnx.load(file)
    for node in graph.graph.node:
        node.input[:] = ["kept" if name == "total" else name for name in node.input]
    graph.graph.node.insert(0, onnx.helper.make_node("Neg", ["total"], ["kept"]))
    wrapped(graph, "Neg", "total_after")
    onnx.save(graph, file)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "something else for frames that come one by one")


def test_the_form_for_one_frame_must_have_the_same_gate(make_bundle, one_graph):
    """Live, the voice would be open at rest, and in no replay."""
    path = make_bundle(one_graph)
    file = path / "frame.onnx"
    graph = onnx.load(file)
    wrapped(graph, "Sqrt", "probabilities")
    onnx.save(graph, file)
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "something else for frames that come one by one")


def test_a_converter_must_remember_what_its_manifest_says(make_bundle, remembering):
    """A graph of another bundle would pass, as long as it says as much."""

    def change(part):
        remembering(part)
        part["converter"]["states"] = {"total": [1, 3]}

    with pytest.raises(BundleError) as caught:
        Bundle.open(make_bundle(change))
    assert one_line(caught.value, "states of model", "{'total': (1, 3)}", "manifest")


def test_another_order_than_the_manifest_says_is_refused_in_its_numbers(make_bundle):
    """Who edits a manifest would look for a 7 that stands nowhere."""
    with pytest.raises(BundleError) as caught:
        Bundle.open(make_bundle(lambda part: part["speech"].update(order=5)))
    assert one_line(caught.value, "'mel_cepstrum': 5", "'mel_cepstrum': 6", "manifest")


def test_converters_that_remember_run_whatever_the_version(make_bundle, remembering):
    """Bundles are trained once and used for years; live is what a replay says."""
    bundle = Bundle.open(make_bundle(remembering))
    frames = np.random.default_rng(0).normal(size=(20, 10))
    expected = np.cumsum(np.concatenate((frames, frames[-1:], frames[-1:])), axis=0)[2:]
    models, found = bundle.frame_models(), []
    for cuts in ([], range(1, 20), [1, 4, 5, 6, 13]):
        pairs = [models.process(part, part) for part in np.split(frames, cuts)]
        speech = [*(one for _, one in pairs), models.flush()]
        mel = np.concatenate([one.mel_cepstrum for one in speech])
        found.append((mel, np.concatenate([activity for activity, _ in pairs])))
    for mel, activity in found:
        np.testing.assert_allclose(mel, found[0][0], atol=1e-5)
        np.testing.assert_allclose(activity, found[0][1], atol=1e-12)
        assert activity.shape == (20,)
    matrix = np.random.default_rng(4).normal(0, 0.1, (10, 7))[:, :5]
    np.testing.assert_allclose(found[0][0], expected @ matrix, atol=1e-5)


def test_features_of_another_width_are_refused(make_bundle, remembering):
    """Numbers of the frame before would stand in for those that are missing."""
    models = Bundle.open(make_bundle(remembering)).frame_models()
    frames = np.zeros((2, 10))
    for rows in (frames[:1], frames):
        with pytest.raises(Exception, match="shape|dimension"):
            models.process(rows, rows[:, :6])


def test_frames_without_their_context_are_refused(make_bundle, one_graph):
    """The gate would open for other frames than those that are heard."""
    models = Bundle.open(make_bundle(one_graph)).frame_models()
    for count, joined in ((2, 3), (3, 2), (2, 0)):
        with pytest.raises(ValueError, match=f"inputs of {joined} and {count} rows"):
            models.process(np.zeros((count, 10)), np.zeros((joined, 10)))


def test_labels_must_be_as_many_as_the_models_classes(make_bundle):
    """Probabilities would stand beside the wrong names."""
    path = make_bundle(lambda part: part["mode"].update(labels=["audible", "silent"]))
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "mode.onnx", "got 3", "allowed: 2")


@pytest.mark.parametrize("name", ["../other/mode.onnx", "/etc/hostname", "sub/mode.onnx", "..", ""])
def test_models_come_from_the_bundle_alone(make_bundle, name):
    """A bundle from somebody else opens no other file of this machine."""
    other = make_bundle(name="other")
    (other.parent / "small").mkdir()
    (other / "manifest.json").rename(other.parent / "small" / "manifest.json")
    path = other.parent / "small"
    content = json.loads((path / "manifest.json").read_text())
    for part in ("converter", "activity", "speaker"):
        (path / content[part]["file"]).write_bytes((other / content[part]["file"]).read_bytes())
    content["mode"]["file"] = name
    (path / "manifest.json").write_text(json.dumps(content))
    (path / "sub").mkdir()
    (path / "sub" / "mode.onnx").write_bytes((other / "mode.onnx").read_bytes())
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    assert one_line(caught.value, "no such file in the bundle")
