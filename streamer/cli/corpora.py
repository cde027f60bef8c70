"""Recordings as ``--session``, ``--subset`` and ``--utterance`` choose them."""

from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import click

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import EmgUkaCorpus
from drivers.recordings.recording import Recording
from drivers.replay import skip
from drivers.source import Provenance
from streamer.config import RecordingsSettings

Command = TypeVar("Command", bound=Callable[..., Any])


def selecting(command: Command) -> Command:
    """Add ``--session``, ``--subset`` and ``--utterance``."""
    command = click.option(
        "--utterance",
        "utterances",
        metavar="ID",
        multiple=True,
        help="Only this utterance, such as 002-001-0100; may be repeated.",
    )(command)
    command = click.option(
        "--subset", metavar="NAME", help="Such as test.audible, test or silent.  [default: all]"
    )(command)
    return click.option(
        "--session", metavar="ID", help="Recording session, such as 002-001.  [default: all]"
    )(command)


def packaged_recording() -> Path:
    """Return the simulated corpus that comes with the project."""
    return Path(str(files("drivers.simulator") / "packaged"))


class Selection:
    """Recordings of a corpus.

    Parameters
    ----------
    settings : RecordingsSettings
        Which ones.

    Attributes
    ----------
    recordings : iterable of Recording
        Read one by one, as often as they are iterated.
    provenance : Provenance
        Whether anybody was recorded.

    Raises
    ------
    RecordingError
        No such corpus, session, subset or utterance.
    """

    def __init__(self, settings: RecordingsSettings) -> None:
        path = settings.path or packaged_recording()
        self._corpus = EmgUkaCorpus(path)
        self.provenance = Provenance.RECORDED if settings.path else Provenance.SIMULATED
        self.recordings: Iterable[Recording]
        if settings.utterances:
            self.recordings = tuple(
                recording
                for utterance in settings.utterances
                for recording in self._corpus.recordings(
                    settings.session, settings.subset, utterance
                )
            )
        else:
            self.recordings = self._corpus.recordings(settings.session, settings.subset)

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
            try:
                return self._corpus.recording(name)
            except RecordingError:
                return None  # a live epoch that no recording is the source of

        return find

    @property
    def skipped(self) -> list[str]:
        """What was left out because it is damaged, a line for each reason."""
        return [
            f"left out {len(names)} utterances, {reason}: {', '.join(names)}"
            for reason, names in self._corpus.skipped.items()
        ]
