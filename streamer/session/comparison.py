"""The voice of a replayed recording beside the natural speech of that recording."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from drivers.errors import SignalMismatchError, StreamerError
from drivers.recordings.recording import Recording
from models.bundle import Bundle
from models.signal.operator import Array
from streamer.results.distortion import incomparable, utterance_mcd
from streamer.results.summary import UtteranceResult


def compare(
    results: Sequence[tuple[UtteranceResult, Array | None]],
    recording_named: Callable[[str], Recording | None],
    bundle: Bundle,
) -> tuple[list[UtteranceResult], list[str]]:
    """Compare each utterance with its natural speech, where there is some.

    Parameters
    ----------
    results : sequence of (UtteranceResult, ndarray or None)
        With the converter's mel-cepstra, None where some are missing.
    recording_named : callable
        Gives the recording of an utterance, or None.
    bundle : Bundle
        Says how speech was analysed.

    Returns
    -------
    list of UtteranceResult
        With their MCD, and what the recording says of itself.
    list of str
        A line for each utterance that could not be compared.
    """
    compared, problems = [], []
    for result, mel_cepstrum in results:
        try:
            recording = recording_named(result.utterance)
            if recording is not None:
                result = replace(
                    result, recorded_mode=recording.mode, recorded_session=recording.session
                )
                reason = incomparable(recording)
                if mel_cepstrum is None:
                    reason = reason or "EMG was lost in it"
                else:
                    settings, lead = bundle.manifest.speech, bundle.lead_frames
                    mcd_db = utterance_mcd(mel_cepstrum, recording, lead, settings)
                    result = replace(result, mcd_db=mcd_db)
                if result.mcd_db is None:
                    result = replace(result, no_mcd=reason or "it is too short")
        except SignalMismatchError:
            result = replace(result, no_mcd="its EMG was not received to its end")
            problems.append(
                f"no distortion of {result.utterance}: {result.seconds:.2f} s of it were received, "
                "its natural speech is of another length"
            )
        except StreamerError as error:
            problems.append(f"no distortion of {result.utterance}: {error}")
        compared.append(result)
    return compared, problems


def foreign(bundle: Bundle, utterances: Sequence[UtteranceResult]) -> list[str]:
    """Say where a voice was made of EMG that it was not learned for.

    Parameters
    ----------
    bundle : Bundle
        The voice.
    utterances : sequence of UtteranceResult
        What was recorded.

    Returns
    -------
    list of str
        A line, or nothing.
    """
    own = bundle.manifest.provenance.converter_data.session
    recorded = {one.recorded_session for one in utterances if one.recorded_session is not None}
    if own is None or not recorded or own in recorded:
        return []
    return [
        f"the voice of {bundle.manifest.name} was learned from session {own}, and this is "
        f"{', '.join(sorted(recorded))}: electrodes lie elsewhere, so it is distorted; "
        "`streamer train --session` makes one of its own"
    ]
