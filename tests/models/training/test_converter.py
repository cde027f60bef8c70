"""Training of the converter."""

import numpy as np
import pytest

from drivers.errors import RecordingError, StreamerError
from models.signal.stacking import StackingSettings
from models.signal.td_features import TDSettings
from models.training.examples import Speech

torch = pytest.importorskip("torch")

from models.training.converter import train_converter  # noqa: E402
from models.training.network import ConverterSettings  # noqa: E402

FEATURES = TDSettings()
MATRIX = np.random.default_rng(9).normal(0, 0.3, (4, 3))


def settings(**more: object) -> ConverterSettings:
    small = {
        "stacking": StackingSettings(past=1),
        "widths": (32,),
        "epochs": 25,
        "batch": 32,
        "learning_rate": 1e-2,
        "dropout": 0.0,
        "input_dropout": 0.0,
    }
    return ConverterSettings(**(small | more))  # type: ignore[arg-type]


def parallel(
    count: int = 6, lead: int = 0, length: int = 60, seed: int = 0
) -> tuple[list[np.ndarray], list[Speech]]:
    """Speech frame k + lead is a linear function of EMG frame k."""
    rng = np.random.default_rng(seed)
    frames, speech = [], []
    for _ in range(count):
        emg = rng.normal(2, 1, (length, 4))
        mel_cepstrum = np.zeros((length + 2, 3))
        mel_cepstrum[lead : lead + length] = emg @ MATRIX
        voiced = mel_cepstrum[:, 0] > 0
        frames.append(emg)
        speech.append(Speech(mel_cepstrum, np.where(voiced, 4.8, 4.6), voiced))
    return frames, speech


def train(frames, speech, said=None, **more):
    progress = (lambda *now: None) if said is None else (lambda *now: said.append(now))
    return train_converter(frames, speech, FEATURES, settings(**more), progress)


def predict(network, frames, past=1):
    from models.training.examples import stack

    with torch.no_grad():
        stacked = stack(frames, StackingSettings(past=past), FEATURES)
        return [one.numpy() for one in network(torch.tensor(stacked, dtype=torch.float32))]


def test_learns_what_can_be_learned():
    """A voice, instead of the mean of all voices."""
    frames, speech = parallel()
    trained = train(frames, speech)
    spread_db = 10 / np.log(10) * np.sqrt(2 * speech[0].mel_cepstrum[:, 1:].var(axis=0).sum())
    assert trained.held_out_mcd_db < spread_db / 3
    mel_cepstrum, log_f0, voicing = predict(trained.network, frames[0])
    assert mel_cepstrum.shape == (60, 3)
    assert log_f0.shape == voicing.shape == (60, 1)
    assert ((voicing >= 0) & (voicing <= 1)).all()
    voiced = speech[0].voiced[:60]
    assert voicing[voiced].mean() > voicing[~voiced].mean() + 0.1
    assert abs(log_f0[voiced].mean() - 4.8) < 0.05


def test_the_lead_pairs_emg_with_later_speech():
    """A bundle that claims to speak 20 ms earlier would not."""
    frames, speech = parallel(lead=2)
    right = train(frames, speech, lead_ms=20.0).held_out_mcd_db
    wrong = train(frames, speech, lead_ms=0.0).held_out_mcd_db
    assert right < wrong / 2


def test_the_best_number_of_epochs_is_found_and_told():
    """The figure in the manifest is that of the model selected."""
    said: list[tuple[str, int, int]] = []
    trained = train(*parallel(), said, epochs=4)
    assert 1 <= trained.epochs <= 4
    finding, training = ([n for what, *n in said if what.startswith(w)] for w in ("find", "train"))
    assert finding == [[1, 4], [2, 4], [3, 4], [4, 4]]
    assert training == [[k, trained.epochs] for k in range(1, trained.epochs + 1)]
    assert not trained.network.training


def test_a_large_session_takes_fewer_epochs():
    """500 utterances would take an hour, and learn nothing more in it."""
    said: list[tuple[str, int, int]] = []
    trained = train(*parallel(), said, epochs=9, frames_seen=6 * 60 * 2 + 1)
    assert trained.epochs <= 2
    assert {total for what, _, total in said if what.startswith("find")} == {2}


def test_a_seed_is_a_model():
    """Nobody could repeat a figure."""
    data = parallel(count=3)
    one, same, other = (
        predict(train(*data, epochs=2, dropout=0.3, seed=seed).network, data[0][0])[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_a_channel_that_wakes_up_does_not_shout():
    """An electrode that was off in training and is on today is no reason for a bang."""
    frames, speech = parallel()
    dead = [np.column_stack((one[:, :3], np.zeros(len(one)))) for one in frames]
    trained = train(dead, speech, epochs=5)
    asleep, awake = predict(trained.network, dead[0])[0], predict(trained.network, frames[0])[0]
    assert np.abs(awake - asleep).max() < 5


def test_an_utterance_without_a_voice_does_not_spoil_the_pitch():
    """One clip of silence among the recordings would flatten the intonation of all."""
    frames, speech = parallel(count=8)
    mute = Speech(speech[0].mel_cepstrum, np.zeros(62), np.zeros(62, dtype=bool))
    trained = train(frames, [mute, *speech[1:]])
    network = trained.network
    assert float(network.target_mean[-1]) == pytest.approx(4.8, abs=1e-4)
    assert float(network.target_scale[-1]) < 0.01
    _, log_f0, _ = predict(network, frames[1])
    assert abs(log_f0[speech[1].voiced[:60]].mean() - 4.8) < 0.02


def test_too_little_to_train_on_is_said():
    """In one line, before anything is trained."""
    frames, speech = parallel(count=1)
    with pytest.raises(RecordingError, match="got 1; allowed: 2 or more"):
        train(frames, speech)
    frames, speech = parallel(count=2, length=3)
    with pytest.raises(RecordingError, match=r"3 frames of EMG, 5 of speech.*6 or more of speech"):
        train(frames, speech, lead_ms=50.0)


@pytest.mark.parametrize(
    "wrong", [{"lead_ms": -10.0}, {"epochs": 0}, {"frames_seen": 0}, {"batch": 0}]
)
def test_settings_that_train_nothing_are_refused(wrong):
    """A negative lead would pair EMG with nothing at all."""
    with pytest.raises(StreamerError, match="allowed: >="):
        settings(**wrong)
