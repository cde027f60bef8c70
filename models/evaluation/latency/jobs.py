"""The live converter of a session, measured on its test subset."""

from collections.abc import Callable
from typing import Any, TypeVar

from models.evaluation.conversion.measures import measure, summary
from models.evaluation.material import Material
from models.evaluation.metrics.lag import prediction_lag
from models.speech.analysis import DEFAULT as SPEECH
from models.training.causal import Base, CausalSettings
from models.training.causal_training import convert, train_session
from models.training.examples import SignalSettings, Speech, parallel
from models.training.progress import nobody

T = TypeVar("T")


def either(material: Material, task: Callable[..., T], *arguments: object) -> T:
    """Do a job of one kind or another, so that no core waits for the longest of a kind."""
    return task(material, *arguments)


def live_session(
    material: Material,
    name: str,
    signal: SignalSettings,
    settings: CausalSettings,
    base: Base | None,
) -> dict[str, Any] | None:
    """Train on a session and measure its audible test utterances.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Recording session.
    signal : SignalSettings
        Features.
    settings : CausalSettings
        Network and lead.
    base : Base or None
        Where it starts from.

    Returns
    -------
    dict or None
        `summary`, and ``lag_ms``: how far the prediction trails its target. None without audible
        training or test utterances.
    """
    session, shift_s = material.session(name, signal), signal.features.shift_s
    own = parallel(session.subset("train", "audible"))
    if base is None or not len(own):
        return None
    network = train_session(name, own, base, settings, shift_s, nobody, material.device)
    lead = round(settings.lead_ms / 1000 / shift_s)
    measured = []
    for one in session.subset("test", "audible"):
        audio = material.recording(one.name).audio
        if one.speech is None or audio is None:
            continue
        made = convert(network, one.emg.joined, settings.future)
        natural = _from(one.speech, lead)
        sound = audio[lead * SPEECH.hop :].astype("float64")
        measured.append(measure(made, natural, sound, SPEECH, aligned=False))
    found = summary(measured, "mcd_db")
    if found is not None:
        lag = prediction_lag([one.made for one in measured], [one.natural for one in measured])
        found["lag_ms"] = 1000 * lag * shift_s
    return found


def _from(speech: Speech, frame: int) -> Speech:
    return Speech(speech.mel_cepstrum[frame:], speech.log_f0[frame:], speech.voiced[frame:])
