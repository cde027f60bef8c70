"""The MLSA filter against pysptk's synthesiser, side by side."""

import time
from dataclasses import dataclass

import numpy as np
import pysptk
from pysptk.synthesis import MLSADF, Synthesizer

from models.speech import mlsa
from models.speech.analysis import SpeechSettings, mel_cepstrum, pitch
from models.speech.excitation import Excitation
from streamer.bench.figure import Progress
from streamer.recordings import RecordingsSettings, Selection

_FRAMES = 1500
_WARM_UP = 20


@dataclass(frozen=True)
class Filtering:
    """What filtering one frame costs.

    Attributes
    ----------
    own_ms, pysptk_ms : float
        Medians over the frames, conversion of the mel-cepstrum included.
    difference : float
        Largest difference of a sample, as a share of the largest sample.
    frames : int
        How many.
    """

    own_ms: float
    pysptk_ms: float
    difference: float
    frames: int

    @property
    def speedup(self) -> float:
        """Ratio of the medians."""
        return self.pysptk_ms / self.own_ms


def compare_filters(progress: Progress, frames: int = _FRAMES) -> Filtering:
    """Filter natural speech's mel-cepstra with both, frame by frame in turns.

    Parameters
    ----------
    progress : callable
        Told how far it is.
    frames : int
        How many at the most.

    Returns
    -------
    Filtering
        What it took.
    """
    settings = SpeechSettings()
    excitations, coefficients, mel = _spoken(settings, frames)
    own, theirs = mlsa.delay_line(settings.order), MLSADF(settings.order, settings.all_pass, pd=5)
    synthesizer = Synthesizer(theirs, settings.hop)
    make = mlsa.Coefficients(settings.order, settings.all_pass)
    took_s = np.empty((2, len(excitations)))
    largest, off = 0.0, 0.0
    for k, excitation in enumerate(excitations):
        begin_s = time.perf_counter()
        end, _ = make.of(mel[k + 1])
        mine = mlsa.filter_hop(excitation, coefficients[k], end, settings.all_pass, own)
        middle_s = time.perf_counter()
        b = pysptk.mc2b(mel[k + 1], settings.all_pass)
        other = synthesizer.synthesis_one_frame(excitation, coefficients[k], b)
        took_s[:, k] = middle_s - begin_s, time.perf_counter() - middle_s
        largest = max(largest, float(np.abs(other).max()))
        off = max(off, float(np.abs(mine - other).max()))
        if k % 100 == 0:
            progress("MLSA filters", k, len(excitations))
    progress("MLSA filters", len(excitations), len(excitations))
    own_s, pysptk_s = np.median(took_s[:, _WARM_UP:], axis=1)
    return Filtering(1000 * own_s, 1000 * pysptk_s, off / largest, len(excitations))


def _spoken(
    settings: SpeechSettings, frames: int
) -> tuple[list[mlsa.Array], list[mlsa.Array], mlsa.Array]:
    """Return excitation, filter coefficients and mel-cepstra of the speech in the package."""
    recordings = Selection(RecordingsSettings(subset="test.audible")).recordings
    audio = np.concatenate([r.audio for r in recordings if r.audio is not None])
    audio = audio[: (frames + 2) * settings.hop + settings.frame].astype(np.float64)
    mel, f0_hz = mel_cepstrum(audio, settings), pitch(audio, settings)
    make = mlsa.Coefficients(settings.order, settings.all_pass)
    kept = [k for k in range(len(mel)) if not make.of(mel[k])[1]]  # pysptk's does not tame
    mel, f0_hz = mel[kept], f0_hz[kept]
    excitation = Excitation(settings, seed=0)
    count = min(frames, len(mel) - 1)
    hops = [excitation.hop(settings.hop, f0_hz[k], f0_hz[k + 1]) for k in range(count)]
    return hops, [make.of(row)[0] for row in mel], mel
