"""What a session counted, and what it comes to."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from drivers.errors import SignalMismatchError, StreamerError
from drivers.recordings.recording import Recording
from drivers.source import Source, SourceInfo
from models.bundle import Bundle
from models.signal.operator import Array
from streamer.audio.output import AudioOutput
from streamer.audio.play_buffer import PlayBuffer
from streamer.engine.background import Background
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline
from streamer.engine.ring import Ring
from streamer.results.distortion import utterance_mcd
from streamer.results.observer import Observer
from streamer.results.recorder import Recorder
from streamer.results.summary import Summary, UtteranceResult

Ended = Literal["source", "duration", "stopped", "error"]


@dataclass(frozen=True)
class Parts:
    """The parts of a session that count.

    Attributes
    ----------
    source, ring, pipeline, trace, observer, recorder, background : object
        Of every session.
    info : SourceInfo
        What the source said once it was open.
    buffer, output : object or None
        Of one that plays.
    """

    source: Source
    info: SourceInfo
    ring: Ring
    pipeline: Pipeline
    trace: LatencyTrace
    observer: Observer
    recorder: Recorder
    background: Background
    buffer: PlayBuffer | None
    output: AudioOutput | None

    @property
    def underruns(self) -> int:
        """Holes in the sound that the EMG did not have."""
        return 0 if self.buffer is None else self.buffer.counts.underruns

    @property
    def fill_ms(self) -> float:
        """Audio that waits to be played."""
        return 0.0 if self.buffer is None else 1000 * self.buffer.waiting / self.buffer.rate_hz

    def counters(self) -> dict[str, dict[str, int]]:
        """Return all counters, by where they were counted."""
        health = self.source.health
        audio = {} if self.buffer is None else asdict(self.buffer.counts)
        return {
            "source": {
                "samples": health.samples,
                "lost_samples": health.lost_samples,
                "gaps": health.gaps,
                "reconnects": health.reconnects,
                **health.extra,
            },
            "ring": asdict(self.ring.counts),
            "pipeline": self.pipeline.counters(),
            "audio": audio | ({} if self.output is None else self.output.counters()),
            "background": {"dropped_jobs": self.background.dropped},
        }

    def problems(self) -> list[str]:
        """Say in a line each what went wrong and did not end the session."""
        pipeline = self.pipeline.counters()
        counted = (
            (
                pipeline["invalid_samples"],
                "EMG samples with values that are no numbers: they count as lost",
            ),
            (
                pipeline["saturated_samples"],
                "EMG values in runs of equal ones: an amplifier at its limit, or no electrode",
            ),
            (
                self.ring.counts.dropped_samples,
                "EMG samples came faster than they could be computed, and are lost",
            ),
            (self.background.dropped, "stretches are missing from the files: the disk is slow"),
        )
        return [f"{count} {what}" for count, what in counted if count] + self.recorder.problems


@dataclass(frozen=True)
class Ending:
    """How a session ended.

    Attributes
    ----------
    directory, audio : str
        Paths of its directory and of the voice.
    ended : str
        By what.
    error : str or None
        The error that ended it.
    took_s : float
        From the first read to the last result.
    algorithmic_ms : float
        Latency of the bundle.
    """

    directory: str
    audio: str
    ended: Ended
    error: str | None
    took_s: float
    algorithmic_ms: float


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
        With their MCD.
    list of str
        A line for each utterance that could not be compared.
    """
    compared, problems = [], []
    for result, mel_cepstrum in results:
        try:
            recording = None if mel_cepstrum is None else recording_named(result.utterance)
            if mel_cepstrum is not None and recording is not None:
                settings, lead = bundle.manifest.speech, bundle.lead_frames
                mcd_db = utterance_mcd(mel_cepstrum, recording, lead, settings)
                result = replace(result, mcd_db=mcd_db)
        except SignalMismatchError:
            problems.append(
                f"no distortion of {result.utterance}: {result.seconds:.2f} s of it were heard, "
                "its natural speech is of another length"
            )
        except StreamerError as error:
            problems.append(f"no distortion of {result.utterance}: {error}")
        compared.append(result)
    return compared, problems


def summarise(
    parts: Parts,
    ending: Ending,
    utterances: Sequence[UtteranceResult],
    problems: Sequence[str],
) -> Summary:
    """Put a session's summary together.

    Parameters
    ----------
    parts : Parts
        Of the session, at rest.
    ending : Ending
        How it ended.
    utterances : sequence of UtteranceResult
        Complete.
    problems : sequence of str
        Those that the parts do not know of.

    Returns
    -------
    Summary
        Complete.
    """
    mcds_db = [u.mcd_db for u in utterances if u.mcd_db is not None]
    compute_ms = parts.trace.percentiles("compute")
    counts = parts.pipeline.counts
    seconds = sum(u.seconds for u in utterances)
    info = parts.info
    return Summary(
        directory=ending.directory,
        audio=ending.audio,
        ended=ending.ended,
        error=ending.error,
        problems=[*problems, *parts.problems()],
        utterances=list(utterances),
        mcd_db=float(np.mean(mcds_db)) if mcds_db else None,
        frames=counts.frames,
        seconds=seconds,
        lost_samples=counts.lost_samples,
        underruns=parts.underruns,
        realtime_factor=seconds / ending.took_s,
        latency_ms={
            "algorithmic": ending.algorithmic_ms,
            "compute_p50": None if compute_ms is None else compute_ms.p50_ms,
            "compute_p99": None if compute_ms is None else compute_ms.p99_ms,
        },
        counters=parts.counters(),
        source={
            "name": info.name,
            "source_id": info.source_id,
            "provenance": info.provenance.value,
            "rate_hz": info.rate_hz,
            "channels": [channel.label for channel in info.channels],
            "health": asdict(parts.source.health),
        },
    )
