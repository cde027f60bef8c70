"""What a session comes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from drivers.recordings.recording import Recording
from drivers.source import Provenance, SourceInfo
from models.bundle import Bundle
from streamer.engine.latency import total_as_dict
from streamer.engine.reader import Ended
from streamer.results.markers import cut_stretches, find_stretches
from streamer.results.outputs import OutputError, RunDirectory, write_json
from streamer.results.summary import Stretch, Summary, UtteranceResult
from streamer.session.comparison import compare, foreign
from streamer.session.parts import Parts

_UNPROVEN = {
    Provenance.GUESSED: "what its samples mean is guessed, and not proven",
    Provenance.EMULATOR_ONLY: "its driver is proven against an emulator only, not a device",
}


@dataclass(frozen=True)
class Ending:
    """How a session ended.

    Attributes
    ----------
    ended : str
        By what.
    error : BaseException or None
        That ended it.
    took_s : float
        From the first read to the last result.
    algorithmic_ms : float
        Latency of the bundle.
    """

    ended: Ended
    error: BaseException | None
    took_s: float
    algorithmic_ms: float


def unproven(info: SourceInfo) -> list[str]:
    """Say what is not proven of a source, in a line.

    Parameters
    ----------
    info : SourceInfo
        Of the source.

    Returns
    -------
    list of str
        Empty where there is nothing to say.
    """
    doubt = _UNPROVEN.get(info.provenance)
    return [] if doubt is None else [f"source {info.name} is {info.provenance}: {doubt}"]


def conclude(
    parts: Parts,
    ending: Ending,
    bundle: Bundle,
    directory: RunDirectory,
    *,
    recording_named: Callable[[str], Recording | None] | None,
    problems: Sequence[str],
    notes: Sequence[str],
) -> Summary:
    """Compare with natural speech, and write what the session did.

    Parameters
    ----------
    parts : Parts
        Of the session, at rest.
    ending : Ending
        How it ended.
    bundle : Bundle
        Its models.
    directory : RunDirectory
        Gets ``latency.json`` and ``summary.json``.
    recording_named : callable or None
        Gives the recording of an utterance, or None.
    problems, notes : sequence of str
        Those that the parts do not know of.

    Returns
    -------
    Summary
        As written; it also says what could not be written.
    """
    utterances = [result for result, _ in parts.observer.results]
    if recording_named is not None:
        utterances, more = compare(parts.observer.results, recording_named, bundle)
        problems, notes = [*problems, *more], [*notes, *foreign(bundle, utterances)]
    stretches: list[Stretch] = []
    failures: list[str] = []
    if parts.observer.markers:
        ends_s = {one.epoch: one.start_s + one.seconds for one in utterances}
        intervals = find_stretches(parts.observer.markers, ends_s)
        stretches, failures = cut_stretches(directory, intervals)
    summary = summarise(parts, ending, bundle, directory, utterances, problems, notes)
    summary.stretches.extend(stretches)
    if not directory.path.is_dir():
        summary.fail(
            f"{directory.path} was moved or removed while the session ran: what follows is not "
            "written"
        )
        return summary
    for failure in failures:
        summary.fail(failure)
    try:
        latency = parts.trace.as_dict(ending.algorithmic_ms)
        write_json(directory.latency, {"output": parts.output_name} | latency)
    except OutputError as error:
        summary.fail(str(error))
    write_summary(directory, summary)
    return summary


def write_summary(
    directory: RunDirectory, summary: Summary, more: Mapping[str, Any] | None = None
) -> None:
    """Write ``summary.json``; the summary says so where that is not possible.

    Parameters
    ----------
    directory : RunDirectory
        Gets it.
    summary : Summary
        As it is now.
    more : mapping, optional
        What else goes into it.
    """
    try:
        write_json(directory.summary, summary.as_dict() | dict(more or {}))
    except OutputError as error:
        if str(error) not in summary.failures:
            summary.fail(str(error))


def summarise(
    parts: Parts,
    ending: Ending,
    bundle: Bundle,
    directory: RunDirectory,
    utterances: Sequence[UtteranceResult],
    problems: Sequence[str],
    notes: Sequence[str] = (),
) -> Summary:
    """Put a session's summary together.

    Parameters
    ----------
    parts : Parts
        Of the session, at rest.
    ending : Ending
        How it ended.
    bundle : Bundle
        Its models.
    directory : RunDirectory
        Where its files are.
    utterances : sequence of UtteranceResult
        Complete.
    problems : sequence of str
        Those that the parts do not know of.
    notes : sequence of str
        What else there is to know.

    Returns
    -------
    Summary
        Complete.
    """
    mcds_db = [u.mcd_db for u in utterances if u.mcd_db is not None]
    compute_ms = parts.trace.percentiles("compute")
    total_ms = parts.trace.total(ending.algorithmic_ms)
    counts = parts.pipeline.counts
    seconds = sum(u.seconds for u in utterances)
    info = parts.info
    return Summary(
        directory=str(directory.path),
        audio=str(directory.audio),
        ended=ending.ended if ending.error is None else "error",
        error=None if ending.error is None else str(ending.error) or repr(ending.error),
        problems=[*problems, *parts.problems()],
        failures=parts.failures(),
        notes=[*notes, *unproven(info)],
        utterances=list(utterances),
        stretches=[],
        markers=list(parts.observer.markers),
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
            "total": None if total_ms is None else total_as_dict(total_ms),
        },
        playback=parts.playback(),
        counters=parts.counters(),
        source={
            "name": info.name,
            "source_id": info.source_id,
            "provenance": info.provenance.value,
            "rate_hz": info.rate_hz,
            "channels": [channel.label for channel in info.channels],
            "health": asdict(parts.source.health),
        },
        models={
            "bundle": bundle.manifest.name,
            "mode": None if bundle.mode is None else bundle.mode.name,
            "speaker": None if bundle.speaker is None else bundle.speaker.name,
        },
        channels=[asdict(channel) for channel in parts.pipeline.failures.channels()],
    )
