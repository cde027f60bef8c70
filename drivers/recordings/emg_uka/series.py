"""Utterances of a corpus, one after the other, without those that are damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.files import UtteranceError
from drivers.recordings.emg_uka.layout import OTHER_COLUMNS, OtherLayout
from drivers.recordings.recording import Recording


class Readable(Protocol):
    """What a series is read from: an `EmgUkaCorpus`."""

    root: Path
    skipped: dict[str, list[str]]

    @property
    def other_layout(self) -> OtherLayout | None:
        """Sessions of which nothing can be read."""

    def recording(self, utterance: str) -> Recording:
        """Read one utterance."""


@dataclass(frozen=True)
class Series:
    """Utterances of a corpus, read one by one each time they are iterated.

    Damaged ones are left out and counted in `EmgUkaCorpus.skipped`; if none is left,
    iterating raises a `RecordingError`.

    Attributes
    ----------
    corpus : Readable
        Where they are read from.
    names : tuple of str
        The utterances, damaged ones included.
    """

    corpus: Readable
    names: tuple[str, ...]

    def __iter__(self) -> Iterator[Recording]:
        """Read the recordings in the order of their names."""
        usable = 0
        last: UtteranceError | None = None
        other = self.corpus.other_layout
        if other is not None and all(
            name.rpartition("-")[0] in other.sessions for name in self.names
        ):
            for name in self.names:
                count(self.corpus.skipped, OTHER_COLUMNS, name)
            raise other.error(self.corpus.root)
        for name in self.names:
            try:
                recording = self.corpus.recording(name)
            except UtteranceError as error:
                count(self.corpus.skipped, error.reason, name)
                last = error
            else:
                usable += 1
                yield recording
        if not usable:
            raise RecordingError(f"all {len(self.names)} utterances damaged, the last one: {last}")


def count(table: dict[str, list[str]], reason: str, utterance: str) -> None:
    """Note an utterance under a reason, once however often it is read."""
    names = table.setdefault(reason, [])
    if utterance not in names:
        names.append(utterance)
