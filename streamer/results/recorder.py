"""What a session writes while it runs: the voice and the estimates."""

import logging
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drivers.outside.strict_json import to_json
from streamer.audio.wav import WavFile
from streamer.engine.answers import Estimate
from streamer.engine.timeline import Output
from streamer.results.outputs import OutputError, RunDirectory

_log = logging.getLogger(__name__)

_FADE_S = 0.005


class Recorder:
    """Writes ``audio.wav``, the utterances' WAVs and ``estimates.jsonl``.

    Sample n of ``audio.wav`` is EMG time n / rate, epochs without the pauses between them.
    All methods run on one thread. A file that cannot be written any more, as on a full disk,
    is given up with a message; everything else goes on.

    Parameters
    ----------
    directory : RunDirectory
        Where the files go.
    rate_hz : int
        Sampling rate of the voice.

    Attributes
    ----------
    problems : list of str
        A line for each file that was given up.
    audio : Path
        The file that holds the epoch, its own or ``audio.wav``; valid until the next `begin`.

    Raises
    ------
    OutputError
        A file cannot be made.
    """

    def __init__(self, directory: RunDirectory, rate_hz: int) -> None:
        self.problems: list[str] = []
        self._directory = directory
        self._rate_hz = rate_hz
        self._fade = np.linspace(1, 0, round(_FADE_S * rate_hz), dtype=np.float32)
        self._pending: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._written = 0  # of the epoch
        try:
            self._wavs = [WavFile(directory.audio, rate_hz)]
            self._lines = directory.estimates.open("xb", buffering=0)
        except OSError as error:
            file = error.filename or directory.audio  # a full disk names none
            raise OutputError(
                f"{file} cannot be written: {error.strerror}",
                way_out="make room, or choose another place with --out",
            ) from None
        self.audio = directory.audio

    def begin(self, utterance: str | None) -> None:
        """Begin an epoch; one with a name gets a WAV of its own."""
        self.audio = self._directory.audio
        if utterance is None:
            return

        def make() -> None:
            wav = WavFile(self._directory.utterance(utterance), self._rate_hz)
            self._wavs.append(wav)
            self.audio = wav.path

        self._try(make, "utterances")  # the folder: one line, however many follow

    def take(self, output: Output) -> NDArray[np.float32]:
        """Write the voice as far as there was EMG for it.

        Predicted frames reach beyond the EMG. What does so at the end of the epoch is cut
        off, with a fade.

        Parameters
        ----------
        output : Output
            The next one.

        Returns
        -------
        ndarray of float32, shape (n,)
            What was written now; it follows what was written before.
        """
        for block in output.blocks:
            end = self._written + len(self._pending)
            hole = np.zeros(max(0, block.first_index - end), dtype=np.float32)
            self._pending = np.concatenate((self._pending, hole, block.samples))
        left = output.audio_length - self._written
        if output.ended:
            audio = self._pending[:left]
            if len(self._pending) > left:
                fade = self._fade[max(0, len(self._fade) - left) :]
                audio[left - len(fade) :] *= fade
            audio = np.concatenate((audio, np.zeros(left - len(audio), dtype=np.float32)))
        else:
            audio = self._pending[: max(0, left - len(self._fade))]
        self._pending = self._pending[len(audio) :]
        self._written += len(audio)
        self._append(audio)
        if output.ended:
            self._end()
        return audio

    def estimate(self, estimate: Estimate) -> None:
        """Write an estimate; the line is complete at once, or not there at all."""
        if self._lines.closed:
            return
        line = (to_json(estimate.as_dict()) + "\n").encode()

        def write() -> None:
            whole = self._lines.tell()
            try:
                left = line
                while left:  # a disk that is nearly full takes a part
                    left = left[self._lines.write(left) or 0 :]
            except OSError:
                self._lines.truncate(whole)
                raise

        if not self._try(write, "estimates.jsonl"):
            self._try(self._lines.close, "estimates.jsonl")

    def flush(self) -> None:
        """Make what was written readable."""
        for wav in self._wavs:
            self._try(wav.flush, wav.path.name)

    def close(self) -> None:
        """Close all files."""
        for wav in self._wavs:
            self._try(wav.close, wav.path.name)
        self._wavs.clear()
        self._try(self._lines.close, "estimates.jsonl")

    def _end(self) -> None:
        """End the epoch."""
        for wav in [wav for wav in self._wavs if wav.path != self._directory.audio]:
            self._try(wav.close, wav.path.name)
            self._wavs.remove(wav)
        self._pending = self._pending[:0]
        self._written = 0

    def _append(self, audio: NDArray[np.float32]) -> None:
        for wav in list(self._wavs):
            if not self._try(partial(wav.write, audio), wav.path.name):
                self._try(wav.close, wav.path.name)
                self._wavs.remove(wav)

    def _try(self, write: Callable[[], object], name: str) -> bool:
        try:
            write()
        except OSError as error:
            problem = f"{name} is incomplete, it cannot be written: {error.strerror}"
            if problem not in self.problems:
                self.problems.append(problem)
                _log.error("%s", problem)
            return False
        return True
