"""Speech with phone timings, from espeak-ng.

Each utterance is spoken by a fresh process (`drivers.simulator.espeak`), because the
synthesiser is deterministic in no other way.
"""

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from drivers.errors import StreamerError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import parse_json
from drivers.recordings.recording import Segment
from drivers.simulator.timing import timings

AUDIO_RATE_HZ = 16000

# The synthesiser's own formants are narrower than people's, so its mel-cepstra vary more.
# Wide ones are loud: half as high they stay clear of its limiter and match its consonants.
_FORMANT_HEIGHT_PERCENT = 50
_FORMANT_WIDTH_PERCENT = 220

_WHISPER = """voicing 17
breath 75 75 50 40 15 10
breathw 150 150 200 200 400 400
"""


@dataclass(frozen=True)
class Voice:
    """A synthetic voice.

    Attributes
    ----------
    pitch_hz : tuple of int
        Base and top of the pitch range.
    formant_percent : tuple of int
        Frequencies of the formants 1 to 6 against the synthesiser's standard voice; the
        shorter the vocal tract, the higher.
    speed_wpm : int
        Words per minute at an ordinary pace.
    """

    pitch_hz: tuple[int, int]
    formant_percent: tuple[int, int, int, int, int, int]
    speed_wpm: int

    def lines(self, *, whispered: bool) -> str:
        """Return the voice as lines of an espeak-ng voice file."""
        low, high = self.pitch_hz
        formants = "".join(
            f"formant {number} {percent} {_FORMANT_HEIGHT_PERCENT} {_FORMANT_WIDTH_PERCENT}\n"
            for number, percent in enumerate(self.formant_percent, start=1)
        )
        return f"pitch {low} {high}\n{formants}{_WHISPER if whispered else ''}"


@dataclass(frozen=True, eq=False)
class Speech:
    """A spoken sentence, without silence around it.

    Attributes
    ----------
    audio : ndarray of float32, shape (samples,)
        16 kHz, full scale is 1.
    phones : tuple of Segment
        In the corpus' phone set, one after the other without holes.
    words : tuple of Segment
        In capitals; pauses are left out.
    """

    audio: NDArray[np.float32]
    phones: tuple[Segment, ...]
    words: tuple[Segment, ...]


def require_synthesiser() -> None:
    """Check that the synthesiser is installed.

    Raises
    ------
    StreamerError
        When it is not.
    """
    if importlib.util.find_spec("espeakng_loader") is None:
        raise StreamerError(
            "speech synthesiser for simulated recordings",
            value="espeakng-loader is not installed",
            way_out="install the extra: pip install -c constraints.txt -e '.[simulate]'",
        )


def synthesise(
    text: str, voice: Voice, *, whispered: bool = False, pace: float = 1.0, seed: int = 0
) -> Speech:
    """Speak a sentence.

    Parameters
    ----------
    text : str
        Words with one space between them, no punctuation.
    voice : Voice
        Who speaks.
    whispered : bool
        Breath instead of voice.
    pace : float
        Speed against the voice's own.
    seed : int
        Of the breath noise.

    Returns
    -------
    Speech
        The same for the same arguments, on one kind of machine.

    Raises
    ------
    StreamerError
        When the synthesiser is not installed, fails, or says a phone that is not known.
    """
    require_synthesiser()
    request = {
        "text": text,
        "voice": voice.lines(whispered=whispered),
        "speed_wpm": round(voice.speed_wpm * pace),
        "seed": seed,
    }
    # -P: the program's own folder holds modules whose names others use too.
    command = [sys.executable, "-P", str(Path(__file__).with_name("espeak.py"))]
    done = subprocess.run(
        command, input=to_json(request).encode(), capture_output=True, check=False
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise StreamerError(
            "speech synthesiser",
            value=reason[-1] if reason else f"exit status {done.returncode}",
            way_out="reinstall it: pip install --force-reinstall espeakng-loader",
        )
    header, _, payload = done.stdout.partition(b"\n")
    reply = parse_json(header.decode(), "reply of the speech synthesiser")
    rate_hz = reply["rate_hz"]
    samples = np.frombuffer(payload, np.int16)
    begin, end, phones, words = timings(reply["phones"], samples, rate_hz, text)
    audio = scipy.signal.resample_poly(samples[begin:end] / 32768.0, AUDIO_RATE_HZ, rate_hz)
    return Speech(audio=audio.astype(np.float32), phones=phones, words=words)
