"""More training utterances than were recorded."""

import numpy as np

from models.signal.operator import Array
from models.training.examples import Speech

SLOWEST, FASTEST = 0.85, 1.18
GAIN = 0.15  # of a column's own spread
HOLES_EVERY = 150  # frames
LONGEST_HOLE = 7


def augmented(frames: Array, speech: Speech, rng: np.random.Generator) -> tuple[Array, Speech]:
    """Say an utterance faster or slower, with other gains of the channels, and holes in it.

    Parameters
    ----------
    frames : ndarray, shape (n, columns)
        TD features, and bands behind them: columns of one channel lie together in each.
    speech : Speech
        Parallel speech.
    rng : numpy.random.Generator
        Chance.

    Returns
    -------
    frames, speech
        From `SLOWEST` to `FASTEST` times as fast; each column shifted by some `GAIN` (a gain, for
        most are logarithms); holes of up to `LONGEST_HOLE` frames hold the utterance's mean.
    """
    factor = rng.uniform(SLOWEST, FASTEST)
    count = min(len(frames), len(speech.mel_cepstrum))
    places = np.linspace(0, count - 1, max(8, int(count / factor)))
    below = np.minimum(places.astype(int), count - 2)
    part = (places - below)[:, np.newaxis]

    def between(values: Array) -> Array:
        mixed: Array = values[below] * (1 - part) + values[below + 1] * part
        return mixed

    warped = between(frames[:count])
    spread = warped.std(axis=0)
    changed = warped + rng.normal(0, GAIN, warped.shape[1]) * spread
    for _ in range(len(changed) // HOLES_EVERY + 1):
        first = rng.integers(0, len(changed))
        changed[first : first + rng.integers(1, LONGEST_HOLE + 1)] = warped.mean(axis=0)
    log_f0 = between(speech.log_f0[:, np.newaxis])[:, 0]
    voiced = speech.voiced[np.round(places).astype(int)]
    return changed, Speech(between(speech.mel_cepstrum), log_f0, voiced)
