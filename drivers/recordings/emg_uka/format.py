"""The corpus for the registry."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.emg_uka.sound import few
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording


def _recognises(path: Path, head: bytes) -> bool:
    return path.is_dir() and (path / "emg").is_dir()


def _read(path: Path, *, emg_scale_uv: float | None = None) -> Iterable[Recording]:
    scale = {} if emg_scale_uv is None else {"uv_per_count": emg_scale_uv}
    return EmgUkaCorpus(path, **scale).recordings()


def _details(path: Path) -> dict[str, str]:
    """Count the utterances that are named, and say what is left out of them."""
    corpus = EmgUkaCorpus(path)
    facts = {"utterances named": str(len(corpus.utterances()))}
    for session in corpus.sessions:
        subsets = [
            f"{len(corpus.utterances(session, subset))} {subset}"
            for subset in corpus.subsets(session)
        ]
        facts[f"session {session}"] = ", ".join(subsets) or "in no subset"
    return facts | _missing(corpus)


def _missing(corpus: EmgUkaCorpus) -> dict[str, str]:
    """Say what is left out, and what the utterances lack that are not; all are read for it."""
    with suppress(RecordingError):  # nothing is left, which reading says
        for _ in corpus.recordings():
            pass
    facts = {}
    for name, table in (("left out", corpus.skipped), ("incomplete", corpus.holes)):
        if table:
            facts[name] = "; ".join(
                f"{len(names)} utterances, {reason}: {few(names)}"
                for reason, names in table.items()
            )
    if corpus.clipped:
        facts["clipped audio"] = f"{len(corpus.clipped)} utterances: {few(list(corpus.clipped))}"
    return facts


FORMAT = Format(
    "EMG-UKA corpus",
    (),
    _recognises,
    _read,
    details=_details,
    takes=frozenset({"emg_scale_uv"}),
)
