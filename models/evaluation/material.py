"""The corpus as the experiments see it: every utterance analysed once."""

import hashlib
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import joblib

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from models.evaluation.kept import keep
from models.speech.analysis import SpeechSettings
from models.training.examples import SignalSettings, Utterance, utterance_of

_KEPT_SESSIONS = 16  # in memory, per process


@dataclass(frozen=True)
class Session:
    """A recording session, analysed.

    Attributes
    ----------
    name, speaker : str
        As in the corpus.
    utterances : tuple of Utterance
        All that a subset names, damaged ones left out.
    skipped, holes : dict of str to list of str
        Utterances that are left out, and those that lack something, by reason.
    """

    name: str
    speaker: str
    utterances: tuple[Utterance, ...]
    skipped: dict[str, list[str]]
    holes: dict[str, list[str]]

    def subset(self, split: str, mode: str | None = None) -> list[Utterance]:
        """Return the utterances of a split, such as ``"train"``, and of a mode."""
        return [one for one in self.utterances if one.split == split and mode in (None, one.mode)]

    @property
    def modes(self) -> tuple[str, ...]:
        """Speaking modes that were recorded."""
        return tuple(
            mode
            for mode in ("audible", "whispered", "silent")
            if any(one.mode == mode for one in self.utterances)
        )


@dataclass(frozen=True)
class Material:
    """Where a job finds what it works on; small, for it travels to every worker.

    Attributes
    ----------
    corpus : Path
        Directory in the layout of EMG-UKA, at the same place for every worker.
    sessions : tuple of str
        Recording sessions that take part.
    store : Path or None
        Directory for analysed sessions, which many jobs need; analysed anew where it is not.
    device : str
        Of PyTorch: ``"cpu"``, ``"cuda"``, ...
    """

    corpus: Path
    sessions: tuple[str, ...]
    store: Path | None = field(default=None, compare=False)
    device: str = field(default="cpu", compare=False)

    @classmethod
    def of(cls, corpus: Path, sessions: tuple[str, ...] = (), **more: object) -> "Material":
        """Look which sessions a corpus has.

        Parameters
        ----------
        corpus : Path
            The directory.
        sessions : tuple of str
            Only these; empty for all that a subset names.
        **more
            The other attributes.

        Raises
        ------
        RecordingError
            The directory is no corpus, or lacks a session.
        """
        data = EmgUkaCorpus(corpus)
        if not sessions:
            data.utterances()
        for session in sessions:
            data.utterances(session)
        chosen = tuple(dict.fromkeys(sessions)) or tuple(
            session for session in data.sessions if data.subsets(session)
        )
        return cls(Path(corpus).resolve(), chosen, **more)  # type: ignore[arg-type]

    def session(self, name: str, signal: SignalSettings | None = None) -> Session:
        """Return an analysed session, from memory or from the store where it is there."""
        return _session(self.corpus, name, signal or SignalSettings(), self.store)

    def all_sessions(self, signal: SignalSettings | None = None) -> list[Session]:
        """Return all sessions that take part."""
        return [self.session(name, signal) for name in self.sessions]

    def recording(self, utterance: str) -> Recording:
        """Read one utterance with its audio and raw EMG."""
        return EmgUkaCorpus(self.corpus).recording(utterance)

    def fingerprint(self) -> str:
        """Tell this corpus from another, or from itself with other files.

        Raises
        ------
        RecordingError
            One of them cannot be read.
        """
        folders = [
            Path(folder, *session.split("-"))
            for session in self.sessions
            for folder in ("emg", "audio", "offset", "Alignments", "Transcripts")
        ]
        digest = hashlib.sha256()
        for folder in (*folders, Path("Subsets")):
            for file in sorted((self.corpus / folder).glob("[!.]*")):
                if not file.is_file():
                    continue
                try:
                    with file.open("rb") as content:
                        checksum = hashlib.file_digest(content, "sha256").hexdigest()
                except OSError as error:
                    raise RecordingError(f"{file} of the corpus", value=error.strerror) from None
                digest.update(f"{folder.as_posix()}/{file.name} {checksum}\n".encode())
        return digest.hexdigest()


@lru_cache(maxsize=_KEPT_SESSIONS)
def _session(corpus: Path, name: str, signal: SignalSettings, store: Path | None) -> Session:
    # Not on workers of a cluster that do not share the disk.
    if store is None or not os.path.isdir(store):
        return analyse(corpus, name, signal)
    file = store / f"{joblib.hash(('session', corpus, name, signal))}.kept"
    return keep(file, lambda: analyse(corpus, name, signal))


def analyse(corpus: Path, name: str, signal: SignalSettings) -> Session:
    """Run a session through the front end, and its natural speech through the analysis.

    Parameters
    ----------
    corpus : Path
        Directory of the corpus.
    name : str
        Of the session.
    signal : SignalSettings
        Filters and features.

    Returns
    -------
    Session
        All its utterances; none where all of them are damaged.

    Raises
    ------
    RecordingError
        The audio of utterances that were spoken is silent.
    """
    data = EmgUkaCorpus(corpus)
    utterances: tuple[Utterance, ...] = ()
    try:
        utterances = tuple(
            utterance_of(recording, signal, SpeechSettings()) for recording in data.recordings(name)
        )
    except RecordingError:
        if not data.skipped:
            raise
    data.refuse_silence()
    speaker = name.split("-")[0]
    return Session(name, speaker, utterances, dict(data.skipped), dict(data.holes))
