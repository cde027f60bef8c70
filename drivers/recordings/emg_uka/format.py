"""The corpus for the registry."""

from collections.abc import Iterable
from pathlib import Path

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording


def _recognises(path: Path, head: bytes) -> bool:
    return path.is_dir() and (path / "emg").is_dir()


def _read(path: Path) -> Iterable[Recording]:
    return EmgUkaCorpus(path).recordings()


def _read_scaled(path: Path, emg_scale_uv: float) -> Iterable[Recording]:
    return EmgUkaCorpus(path, uv_per_count=emg_scale_uv).recordings()


def _details(path: Path) -> dict[str, str]:
    """Count the utterances that are named; what is read of them is what is not damaged."""
    corpus = EmgUkaCorpus(path)
    facts = {"utterances named": str(len(corpus.utterances()))}
    for session in corpus.sessions:
        subsets = [
            f"{len(corpus.utterances(session, subset))} {subset}"
            for subset in corpus.subsets(session)
        ]
        facts[f"session {session}"] = ", ".join(subsets) or "in no subset"
    return facts


FORMAT = Format(
    "EMG-UKA corpus", (), _recognises, _read, details=_details, read_scaled=_read_scaled
)
