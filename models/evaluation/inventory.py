"""What a corpus holds, as far as an evaluation uses it."""

from collections import Counter
from dataclasses import dataclass, field

from drivers.errors import RecordingError
from drivers.outside.names import clean
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.emg_uka.files import RATE_HZ
from drivers.source import Provenance
from models.evaluation.material import Material
from models.evaluation.study import Study, fingerprint_of


@dataclass(frozen=True)
class SessionInventory:
    """What was read of a recording session.

    Attributes
    ----------
    speaker : str
        Who.
    utterances : dict of str to int
        Usable ones by subset, such as ``"train.audible"``.
    minutes : float
        Length of their EMG.
    skipped, incomplete : dict of str to list of str
        Utterances that are left out, and those that lack something, by reason.
    """

    speaker: str
    utterances: dict[str, int]
    minutes: float
    skipped: dict[str, list[str]]
    incomplete: dict[str, list[str]]


@dataclass(frozen=True)
class Inventory:
    """What was read of a corpus.

    Attributes
    ----------
    corpus : str
        Name of its directory.
    fingerprint : str
        Tells it from others.
    simulated : bool
        Nobody spoke it.
    sessions : dict of str to SessionInventory
        By name.
    left_out : list of str
        Sessions on disk that have no usable utterance, or that no subset names.
    """

    corpus: str
    fingerprint: str
    simulated: bool
    sessions: dict[str, SessionInventory] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def take_inventory(study: Study) -> Inventory:
    """Read the sessions that take part, each once, and leave them analysed in the store.

    Parameters
    ----------
    study : Study
        With its corpus.

    Returns
    -------
    Inventory
        Of what can be used.

    Raises
    ------
    RecordingError
        Nothing can.
    """
    names = study.material.sessions
    found = study.run("reading the sessions", read_session, [(name,) for name in names])
    sessions = {
        name: session for name, session in zip(names, found, strict=True) if session.utterances
    }
    if not sessions:
        reasons = sorted({reason for session in found for reason in session.skipped})
        raise RecordingError(
            f"corpus {study.material.corpus}",
            value=f"no usable utterance ({', '.join(reasons)})",
            way_out="look at one of its files with `streamer info`",
        )
    corpus = EmgUkaCorpus(study.material.corpus)
    wanted = study.settings.sessions or corpus.sessions
    return Inventory(
        corpus=clean(study.material.corpus.name),
        fingerprint=fingerprint_of(study.material),
        simulated=corpus.provenance is Provenance.SIMULATED,
        sessions=sessions,
        left_out=[name for name in wanted if name not in sessions],
    )


def read_session(material: Material, name: str) -> SessionInventory:
    """Read a session; a job.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.

    Returns
    -------
    SessionInventory
        What it holds.
    """
    session = material.session(name)
    counts = Counter(f"{one.split}.{one.mode}" for one in session.utterances)
    samples = sum(len(one.emg.samples) for one in session.utterances)
    return SessionInventory(
        speaker=session.speaker,
        utterances=dict(sorted(counts.items())),
        minutes=round(samples / RATE_HZ / 60, 2),
        skipped=session.skipped,
        incomplete=session.holes,
    )
