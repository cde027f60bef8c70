"""The converter that remembers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drivers.errors import RecordingError, StreamerError  # noqa: E402
from models.inference import OnnxModel  # noqa: E402
from models.training.augmentation import augmented  # noqa: E402
from models.training.causal import (  # noqa: E402
    Body,
    CausalNetwork,
    CausalSettings,
    Head,
    SessionLayer,
)
from models.training.causal_training import convert, train_base, train_session  # noqa: E402
from models.training.classifiers import Discriminant  # noqa: E402
from models.training.examples import Parallel, Speech  # noqa: E402
from models.training.export import export_causal  # noqa: E402
from models.training.progress import nobody  # noqa: E402
from models.training.silent import _warped  # noqa: E402

COLUMNS, ORDER, SHIFT_S = 6, 3, 0.01
SMALL = CausalSettings(
    width=24, blocks=2, base_epochs=40, least_steps=0, epochs=6, dropout=0.0, input_dropout=0.0
)


def utterances(seed, count=6, late=0):
    """Speech that is a mixture of the EMG features of `late` frames before."""
    rng = np.random.default_rng(seed)
    mixture = np.random.default_rng(1).normal(size=(COLUMNS, ORDER + 1))
    frames, speech = [], []
    for _ in range(count):
        x = np.cumsum(rng.normal(size=(80, COLUMNS)), axis=0) * 0.3
        x -= x.mean(axis=0)
        y = np.roll(x @ mixture, late, axis=0)
        frames.append(x)
        speech.append(Speech(y, np.full(80, np.log(120.0)), x[:, 0] > 0))
    return Parallel(frames, speech)


def distortion(network, data, settings, skip=10):
    errors = [
        np.abs(convert(network, x, settings.future).mel_cepstrum - y.mel_cepstrum)[skip:-skip]
        for x, y in zip(data.frames, data.speech, strict=True)
    ]
    return float(np.mean(np.concatenate(errors)))


def gate():
    """Four columns to rest and speech."""
    rng = np.random.default_rng(6)
    members = np.array([[0.98, 0.02], [0.01, 0.99]])
    weights = rng.normal(size=(4, 2))
    return Discriminant(
        rng.normal(size=4), np.full(4, 2.0), weights, np.ones(2), members, 0.5, np.array([0.0, 1])
    )


@pytest.fixture(scope="module")
def trained():
    sessions = {"a": utterances(2), "b": utterances(3)}
    base = train_base(sessions, SMALL, SHIFT_S, nobody)
    return base, train_session("a", sessions["a"], base, SMALL, SHIFT_S, nobody)


def test_it_learns_and_frame_by_frame_it_says_the_same(trained):
    """Live speech would differ from the speech that was measured offline."""
    _, network = trained
    new = utterances(9)
    spread = np.mean([np.abs(one.mel_cepstrum).mean() for one in new.speech])
    assert distortion(network, new, SMALL) < 0.5 * spread
    x = torch.tensor(new.frames[0], dtype=torch.float32)
    states, parts = network.body.start(), []
    with torch.no_grad():
        for first, last in ((0, 1), (1, 2), (2, 9), (9, 80)):
            mel_cepstrum, _, _, *states = network(x[first:last], *states)
            parts.append(mel_cepstrum)
    whole = convert(network, new.frames[0]).mel_cepstrum
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_the_future_of_an_utterance_changes_nothing_before_it(trained):
    """A network that looks ahead cannot run live; nobody would see it offline."""
    _, network = trained
    x = utterances(4).frames[0]
    other = x.copy()
    other[50:] += 3
    a, b = (convert(network, one).mel_cepstrum for one in (x, other))
    np.testing.assert_allclose(a[:50], b[:50], atol=1e-6)
    assert np.abs(a[50:] - b[50:]).max() > 0.01


def test_look_ahead_is_for_speech_that_comes_before_its_emg():
    """Without it the symmetric setting of the paper would be no better than the causal one."""
    early = {"a": utterances(2, late=-3)}
    figures = {}
    for future in (0, 3):
        settings = CausalSettings(
            width=24, blocks=2, base_epochs=60, least_steps=0, epochs=4, future=future,
            dropout=0.0, input_dropout=0.0,
        )  # fmt: skip
        base = train_base(early, settings, SHIFT_S, nobody)
        network = train_session("a", early["a"], base, settings, SHIFT_S, nobody)
        figures[future] = distortion(network, utterances(8, late=-3), settings)
    assert figures[3] < 0.8 * figures[0]


def test_a_lead_predicts_what_is_not_yet_spoken():
    """The voice would come as late as without it."""
    settings = CausalSettings(
        width=24, blocks=2, base_epochs=60, least_steps=0, epochs=4, lead_ms=80,
        dropout=0.0, input_dropout=0.0,
    )  # fmt: skip
    late = {"a": utterances(2, late=8)}
    base = train_base(late, settings, SHIFT_S, nobody)
    network = train_session("a", late["a"], base, settings, SHIFT_S, nobody)
    new = utterances(8, late=8)
    made = convert(network, new.frames[0]).mel_cepstrum
    ahead = np.abs(made[10:60] - new.speech[0].mel_cepstrum[18:68]).mean()
    assert ahead < 0.85 * np.abs(made[10:60] - new.speech[0].mel_cepstrum[10:60]).mean()


def test_a_seed_is_a_network(trained):
    """Nobody could repeat a training."""
    base, network = trained
    again = train_session("a", utterances(2), base, SMALL, SHIFT_S, nobody)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), atol=1e-6)


def test_onnx_says_the_same_with_the_states_that_it_lists(trained, tmp_path):
    """The bundle would speak another language than the training."""
    _, network = trained
    frames = utterances(5).frames[0]
    files = tmp_path / "converter.onnx", tmp_path / "converter_frame.onnx"
    context = np.random.default_rng(0).normal(size=(len(frames), 4))
    differences, states = export_causal(network, gate(), *files, frames, context)
    assert differences["converter"] <= 1e-4
    assert differences["gate"] <= 1e-12
    model = OnnxModel(*files)
    assert model.states == states
    assert states == {"past": (1, sum(one.numel() for one in network.body.start()))}
    stream = model.stream()

    def said(size):
        stream.reset()
        parts = []
        for first in range(0, len(frames), size):
            rows = slice(first, first + size)
            outputs = stream.process(frames[rows], context[rows])
            parts.append(np.concatenate(outputs, axis=1))  # which copies them
        return np.concatenate(parts)

    alone = said(1)  # by the form for one frame
    whole = convert(network, frames).mel_cepstrum
    np.testing.assert_allclose(alone[:, : whole.shape[1]], whole, atol=1e-4)
    np.testing.assert_allclose(alone[:, -2:], gate().predict_proba(context), atol=1e-12)
    for size in (2, 7, len(frames)):
        # A replay at full speed says what a live session says, to the last bit.
        np.testing.assert_array_equal(said(size)[:, :-2], alone[:, :-2])
        np.testing.assert_allclose(said(size)[:, -2:], alone[:, -2:], atol=1e-12)
    stream.reset()
    mixed = [stream.process(frames[k], context[k])[0].copy() for k in parts_of(len(frames))]
    np.testing.assert_array_equal(np.concatenate(mixed), alone[:, : whole.shape[1]])


def parts_of(length):
    """Slices of one row and of several in turn: both forms go on from the other's past."""
    sizes, first = (1, 5, 1, 1, 3), 0
    while first < length:
        for size in sizes:
            yield slice(first, first + size)
            first += size


def test_a_feature_that_hardly_moves_is_exported_as_it_is(tmp_path):
    """A channel that was nearly dead in training would be all rounding in the bundle."""
    data = utterances(2)
    for x in data.frames:
        x[:, 0] = 5 + 2e-3 * x[:, 0]
    torch.manual_seed(0)
    network = CausalNetwork(
        SessionLayer(data.frames, data.speech), Body(COLUMNS, SMALL), Head(SMALL.width, ORDER + 3)
    ).eval()
    context = np.zeros((len(data.frames[0]), 4))
    files = tmp_path / "converter.onnx", tmp_path / "converter_frame.onnx"
    differences, _ = export_causal(network, gate(), *files, data.frames[0], context)
    assert differences["converter"] <= 2e-5


def test_what_cannot_be_learned_is_said():
    """A division by zero, or speech of nothing, would follow."""
    with pytest.raises(StreamerError, match="width"):
        CausalSettings(width=0)
    with pytest.raises(StreamerError, match="future"):
        CausalSettings(future=-1)
    data = utterances(2, count=1)
    base = train_base({"a": data}, SMALL, SHIFT_S, nobody)
    with pytest.raises(RecordingError, match="utterances with audio"):
        train_session("a", Parallel([], []), base, SMALL, SHIFT_S, nobody)
    far = CausalSettings(width=8, blocks=1, base_epochs=1, least_steps=0, lead_ms=2000)
    with pytest.raises(RecordingError, match="length of training utterance"):
        train_base({"a": data}, far, SHIFT_S, nobody)


def test_states_hold_the_past_that_the_layers_see():
    """A state too short would cut the past off at every chunk."""
    shapes = [tuple(one.shape) for one in Body(COLUMNS, CausalSettings(width=8)).start()]
    assert shapes == [(1, 4, 6), (1, 2, 8), (1, 4, 8), (1, 8, 8), (1, 16, 8)]


def test_augmented_speech_still_belongs_to_its_emg():
    """Networks would learn that speech has nothing to do with EMG."""
    data = utterances(2)
    rng = np.random.default_rng(0)
    mixture = np.random.default_rng(1).normal(size=(COLUMNS, ORDER + 1))
    lengths = set()
    for x, y in zip(data.frames, data.speech, strict=True):
        before = x.copy()
        frames, speech = augmented(x, y, rng)
        np.testing.assert_array_equal(x, before)
        lengths.add(len(frames))
        assert len(frames) == len(speech.mel_cepstrum) == len(speech.voiced) == len(speech.log_f0)
        said = frames @ mixture
        for column in range(ORDER + 1):
            assert np.corrcoef(said[:, column], speech.mel_cepstrum[:, column])[0, 1] > 0.7
    assert len(lengths) > 3
    assert 60 < min(lengths)
    assert max(lengths) < 100


def test_silent_frames_get_the_mean_of_the_speech_that_falls_to_them():
    """Targets of the wrong moment would be learned."""
    speech = Speech(np.arange(8.0).reshape(4, 2), np.arange(4.0), np.array([1, 1, 0, 0], bool))
    path = np.array([[0, 0], [0, 1], [1, 2], [2, 3], [3, 3]])
    found = _warped(speech, path, 4)
    np.testing.assert_allclose(found.mel_cepstrum, [[1, 2], [4, 5], [6, 7], [6, 7]])
    np.testing.assert_allclose(found.log_f0, [0.5, 2, 3, 3])
    np.testing.assert_array_equal(found.voiced, [True, False, False, False])
