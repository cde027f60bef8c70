"""Targets for speech that nobody heard: from the audible utterance of the same sentence."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics.distortion import dtw_path
from models.signal.operator import Array
from models.training.causal import CausalNetwork
from models.training.causal_training import convert
from models.training.examples import Parallel, Speech, Utterance


def by_sentence(utterances: Sequence[Utterance]) -> dict[str, Utterance]:
    """Find the utterances with sound by what was said; the first of each sentence."""
    found: dict[str, Utterance] = {}
    for one in utterances:
        if one.transcript is not None and one.speech is not None:
            found.setdefault(one.transcript, one)
    return found


def aligned_targets(
    network: CausalNetwork,
    silent: Sequence[Utterance],
    audible: Mapping[str, Utterance],
    ahead: int = 0,
) -> Parallel:
    """Give silent EMG the speech of the same sentence, warped to its time.

    Both were recorded at different times and speeds. What a network trained on audible EMG makes
    of the silent EMG is aligned with the audible utterance by dynamic time warping; a frame of
    silent EMG gets the mean of the speech frames that fall to it (Janke and Diener, 2017, and
    Gaddy and Klein, EMNLP 2020, align in this way).

    Parameters
    ----------
    network : CausalNetwork
        Trained on audible EMG of the session.
    silent : sequence of Utterance
        Those without an audible counterpart are left out.
    audible : mapping of str to Utterance
        By sentence.
    ahead : int
        Of the network's settings.

    Returns
    -------
    Parallel
        Silent EMG and its targets.
    """
    pairs = [(one, audible.get(one.transcript or "")) for one in silent]
    frames, speech = [], []
    for one, reference in pairs:
        if reference is None or reference.speech is None:
            continue
        made = convert(network, one.emg.joined, ahead)
        path = dtw_path(made.mel_cepstrum, reference.speech.mel_cepstrum)
        frames.append(one.emg.joined)
        speech.append(_warped(reference.speech, path, len(made)))
    return Parallel(frames, speech)


def _warped(speech: Speech, path: NDArray[np.intp], length: int) -> Speech:
    """Average the speech frames that fall to each EMG frame."""
    counts = np.bincount(path[:, 0], minlength=length)

    def mean(values: Array) -> Array:
        total = np.zeros((length, *values.shape[1:]))
        np.add.at(total, path[:, 0], values[path[:, 1]])
        result: Array = total / counts.reshape(-1, *[1] * (values.ndim - 1))
        return result

    voiced = mean(speech.voiced.astype(np.float64)) >= 0.5
    return Speech(mean(speech.mel_cepstrum), mean(speech.log_f0), voiced)
