"""What a session tells about itself: while it runs, and afterwards."""

from dataclasses import asdict, dataclass, field
from typing import Any

from drivers.source import SourceState
from streamer.engine.answers import Answer, Estimate
from streamer.engine.latency import Percentiles


@dataclass(frozen=True)
class UtteranceResult:
    """What came of one epoch.

    Attributes
    ----------
    utterance : str
        Name, from the source's marker; ``"epoch-0000"`` where it gives none.
    epoch : int
        As the source counts.
    audio : str
        Path of the WAV that holds it: its own for a replayed utterance, else the session's.
    start_s : float
        Where it begins in ``audio.wav``.
    seconds : float
        Length of its EMG, and of its audio.
    frames : int
        EMG frames.
    lost_samples : int
        EMG samples that the models had to do without: missing or not a number.
    mcd_db : float or None
        Mel-cepstral distortion of the converter's output against the natural speech, where
        the recording holds audible speech.
    mode, speaker : Answer or None
        Over the whole utterance.
    recorded_mode, recorded_session : str or None
        What the recording says of itself; None where there is none, or it says nothing.
    no_mcd : str or None
        Why there is no `mcd_db`, for people; None where there is one, or where nothing is
        known of natural speech, as live.
    """

    utterance: str
    epoch: int
    audio: str
    start_s: float
    seconds: float
    frames: int
    lost_samples: int
    mcd_db: float | None
    mode: Answer | None
    speaker: Answer | None
    recorded_mode: str | None = None
    recorded_session: str | None = None
    no_mcd: str | None = None


@dataclass(frozen=True)
class Event:
    """A marker of the source.

    Attributes
    ----------
    label : str
        What happened.
    time_s : float
        When, in ``audio.wav``.
    epoch : int
        In which one.
    """

    label: str
    time_s: float
    epoch: int


@dataclass(frozen=True)
class Stretch:
    """What lies between two markers.

    Attributes
    ----------
    utterance : str
        Name, from the markers.
    audio : str
        Path of the WAV of its own.
    start_s, seconds : float
        Where it begins in ``audio.wav``, and how long it is.
    """

    utterance: str
    audio: str
    start_s: float
    seconds: float


@dataclass(frozen=True)
class Summary:
    """What a session did; `as_dict` is ``summary.json`` and what ``--json`` prints.

    Attributes
    ----------
    directory : str
        The run's directory.
    audio : str
        Path of ``audio.wav``.
    ended : str
        ``"source"`` (it came to its end), ``"duration"``, ``"stopped"`` or ``"error"``.
    error : str or None
        The error that ended the session.
    problems : list of str
        What went wrong and did not end it, a line each.
    notes : list of str
        What is no problem, but should be known.
    utterances : list of UtteranceResult
        In the order they came.
    mcd_db : float or None
        Mean over the utterances that have one.
    frames : int
        EMG frames through the models.
    seconds : float
        EMG time.
    lost_samples : int
        EMG samples that the models had to do without.
    underruns : int
        Holes in the loudspeaker's sound that the EMG did not have.
    realtime_factor : float
        EMG time over the time it took.
    latency_ms : dict
        ``algorithmic``; ``compute_p50`` and ``compute_p99`` (per 10 ms frame); ``total``,
        from an EMG instant to its sound: ``p50``, ``p95``, ``p99``, ``max`` and ``class``,
        None where nothing was played.
    playback : dict
        ``fill_p50_ms``: what waited before the loudspeaker right before more came;
        ``reserve_ms``: what was to wait then, in the end; ``drift_ppm``: how much faster the
        EMG's clock ran than the sound card's, None where it is not known or not followed.
    counters : dict
        All other counters, by where they were counted.
    source : dict
        What the source says of itself, and its health.
    models : dict
        Name of the bundle, and by which classifier ``mode`` and ``speaker`` were told.
    channels : list of dict
        What each channel that the models get did: ``label``, and how long it failed
        (``failing_s``), how often (``failures``) and why last (``reason``); see
        `streamer.engine.failures.ChannelReport`.
    failures : list of str
        Those of the problems that cost an output, or the proper end of a device: the command's
        exit code is not 0.
    stretches : list of Stretch
        What markers within an epoch cut out of it.
    markers : list of Event
        All but those that name the utterances.
    """

    directory: str
    audio: str
    ended: str
    error: str | None
    problems: list[str]
    notes: list[str]
    utterances: list[UtteranceResult]
    mcd_db: float | None
    frames: int
    seconds: float
    lost_samples: int
    underruns: int
    realtime_factor: float
    latency_ms: dict[str, Any]
    playback: dict[str, float | None]
    counters: dict[str, dict[str, int]]
    source: dict[str, Any]
    models: dict[str, str | None]
    channels: list[dict[str, Any]]
    failures: list[str] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    markers: list[Event] = field(default_factory=list)

    def fail(self, line: str) -> None:
        """Add what cost an output, or the proper end of a device."""
        self.problems.append(line)
        self.failures.append(line)

    def as_dict(self) -> dict[str, Any]:
        """Return plain types, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Snapshot:
    """A session at one instant, for a screen.

    Attributes
    ----------
    utterance : str
        Name of the running utterance; empty before the first.
    time_s : float
        EMG time from the session's start.
    source_state : SourceState
        State of the source.
    provenance : str
        How far the source is proven; empty before it is open.
    levels_uv : tuple of float
        RMS of each channel without DC over the last tenth of a second.
    failing : tuple of int
        Numbers of those channels that fail, from 0.
    speech : float
        Probability of speech.
    estimate : Estimate or None
        The latest one.
    compute_ms : Percentiles or None
        Computing per frame over the last ten seconds.
    latency_ms : Percentiles or None
        From the acquisition of a frame's last sample to the audio buffer, over the last
        ten seconds; None where time is virtual.
    algorithmic_ms : float
        Of the bundle.
    total_ms : Percentiles or None
        From an EMG instant to its sound, over the last ten seconds; None where nothing plays.
    fill_ms : float
        Audio that waits to be played at this instant.
    playback : dict
        As in the summary, of the last ten seconds.
    output : str
        Where the voice goes, for people.
    frames, lost_samples, underruns : int
        As in the summary, so far.
    counters : dict
        As in the summary, so far.
    problems : tuple of str
        As in the summary, so far.
    """

    utterance: str = ""
    time_s: float = 0.0
    source_state: SourceState = SourceState.DISCONNECTED
    provenance: str = ""
    levels_uv: tuple[float, ...] = ()
    failing: tuple[int, ...] = ()
    speech: float = 0.0
    estimate: Estimate | None = None
    compute_ms: Percentiles | None = None
    latency_ms: Percentiles | None = None
    algorithmic_ms: float = 0.0
    total_ms: Percentiles | None = None
    fill_ms: float = 0.0
    playback: dict[str, float | None] = field(default_factory=dict)
    output: str = ""
    frames: int = 0
    lost_samples: int = 0
    underruns: int = 0
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
