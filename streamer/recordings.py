"""Recordings as ``--session``, ``--subset`` and ``--utterance`` choose them."""

from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field

from drivers.clock import Clock
from drivers.errors import RecordingError
from drivers.outside.settings import Settings
from drivers.recordings.checked import CheckedRecordings
from drivers.recordings.emg_uka import EmgUkaCorpus
from drivers.recordings.format import Choices
from drivers.recordings.info import left_out
from drivers.recordings.recording import Recording
from drivers.recordings.registry import read_recordings, refuse_choices
from drivers.replay import ReplaySource, skip

_UNPACED_CHUNK_S = 0.1  # nobody waits for it, and a chunk has its price


class RecordingsSettings(Settings):
    """Which recordings are replayed or published."""

    path: Path | None = Field(
        default=None, description="File or corpus directory; null is the recording in the package"
    )
    session: str | None = Field(default=None, description="Recording session; null is all")
    subset: str | None = Field(default=None, description="Such as test.audible; null is all")
    utterances: tuple[str, ...] = Field(default=(), description="Only these, in this order")
    stream: str | None = Field(
        default=None,
        description="Which stream of a file is the EMG: a name, id=ID or type=TYPE, as for lsl:",
    )
    channels: tuple[str, ...] | None = Field(
        default=None, description="Labels of the channels to use, in the order of the bundle's"
    )
    unit: str | None = Field(
        default=None, description="Of the EMG, such as uV; null is as the file says"
    )
    emg_scale_uv: float | None = Field(
        default=None,
        ge=1e-9,
        le=1e9,
        description="Microvolts per count of EMG-UKA and Vitaport files; null is as they say",
    )

    @property
    def choices(self) -> Choices:
        """What a person says of the file."""
        return Choices(self.stream, self.channels, self.unit, self.emg_scale_uv)


def packaged_recording() -> Path:
    """Return the simulated corpus that comes with the project."""
    return Path(str(files("drivers.simulator") / "packaged"))


def replay_source(
    recordings: Iterable[Recording],
    pace: float | Literal["max"],
    *,
    loop: bool = False,
    start_s: float = 0.0,
    clock: Clock | None = None,
) -> ReplaySource:
    """Return the source that plays recordings.

    Parameters
    ----------
    recordings : iterable of Recording
        In this order.
    pace : float or "max"
        Multiple of their own.
    loop, start_s, clock
        As for `ReplaySource`.

    Returns
    -------
    ReplaySource
        Not open.
    """
    if pace == "max":
        return ReplaySource(
            recordings,
            speed=None,
            clock=clock,
            chunk_s=_UNPACED_CHUNK_S,
            loop=loop,
            start_s=start_s,
        )
    return ReplaySource(recordings, speed=pace, clock=clock, loop=loop, start_s=start_s)


class Selection:
    """Recordings of a corpus or a file.

    Parameters
    ----------
    settings : RecordingsSettings
        Which ones.

    Attributes
    ----------
    recordings : iterable of Recording
        Read one by one where they are many, as often as they are iterated.

    Raises
    ------
    RecordingError
        No such file, corpus, session, subset or utterance.
    """

    def __init__(self, settings: RecordingsSettings) -> None:
        path = settings.path or packaged_recording()
        self._path, self._choices = path, settings.choices
        self._corpus: EmgUkaCorpus | None = None
        self._named: dict[str, Recording] = {}
        self._notes: dict[str, None] = {}
        self.recordings: Iterable[Recording]
        if path.is_dir():
            self._corpus, self.recordings = _of_corpus(path, settings)
        else:
            self.recordings = _of_file(path, settings)
            self._named = {recording.name: recording for recording in self.recordings}
            self._notes = dict.fromkeys(note for one in self.recordings for note in one.notes)

    def natural(self, start_s: float = 0.0) -> Callable[[str], Recording | None]:
        """Return what finds the recording of an utterance by its name.

        Parameters
        ----------
        start_s : float
            What the replay leaves out at the beginning: the first recording is cut there.
        """
        first = next(skip(self.recordings, start_s), None) if start_s else None

        def find(name: str) -> Recording | None:
            if first is not None and first.name == name:
                return first
            if self._corpus is None:
                return self._named.get(name)
            try:
                return self._corpus.recording(name)
            except RecordingError:
                return None  # a live epoch that no recording is the source of

        return find

    @property
    def skipped(self) -> list[str]:
        """What was left out or read otherwise than it is written, a line for each reason."""
        if self._corpus is None:
            return [*left_out(self._path, self._choices), *self._notes]
        return [
            f"left out {len(names)} utterances, {reason}: {', '.join(names)}"
            for reason, names in self._corpus.skipped.items()
        ]


def _of_corpus(
    path: Path, settings: RecordingsSettings
) -> tuple[EmgUkaCorpus, Iterable[Recording]]:
    """Open a corpus, and choose recordings of it that are read as they are iterated."""
    choices = settings.choices
    refuse_choices(path, choices)
    scale = {} if choices.emg_scale_uv is None else {"uv_per_count": choices.emg_scale_uv}
    corpus = EmgUkaCorpus(path, **scale)

    def chosen() -> Iterable[Recording]:
        if not settings.utterances:
            return corpus.recordings(settings.session, settings.subset)
        return tuple(
            recording
            for utterance in settings.utterances
            for recording in corpus.recordings(settings.session, settings.subset, utterance)
        )

    return corpus, CheckedRecordings(chosen, f"corpus {path}", choices.channels)


def _of_file(path: Path, settings: RecordingsSettings) -> tuple[Recording, ...]:
    """Read what a file holds, as far as it is chosen."""
    there = tuple(read_recordings(path, settings.choices))
    mode = (settings.subset or "").split(".")
    chosen = [
        recording
        for recording in there
        if settings.session in (None, recording.session)
        and (settings.subset is None or set(mode) <= {recording.split, recording.mode})
    ]
    if settings.utterances:
        names = [recording.name for recording in chosen]
        for name in settings.utterances:
            if name not in names:
                raise RecordingError(f"utterance in {path}", value=name, allowed=_few(names))
        chosen = [one for name in settings.utterances for one in chosen if one.name == name]
    if not chosen:
        raise RecordingError(
            f"recordings in {path}",
            value="none that is chosen",
            allowed=_few([_described(recording) for recording in there]),
            way_out="leave --session and --subset out",
        )
    return tuple(chosen)


def _described(recording: Recording) -> str:
    session = f"session {recording.session}" if recording.session else "no session"
    subset = ".".join(filter(None, (recording.split, recording.mode)))
    return f"{session}, {subset or 'no subset'}"


def _few(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - 5} more" if len(unique) > 5 else ""
    return ", ".join(unique[:5]) + more
