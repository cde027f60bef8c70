"""Some of a signal's channels, in an order of one's choice."""

import re
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from drivers.errors import SignalMismatchError, SourceError
from drivers.source import Chunk, Health, Samples, Source, SourceInfo


class SelectedChannels:
    """A `Source` that hands on the channels that are named, in the order they are named.

    All else is the other source's: times, epochs, losses, markers, state and counters.

    Parameters
    ----------
    source : Source
        Delivers the channels; opened and closed by this one.
    labels : sequence of str
        Labels of the channels, each once.

    Raises
    ------
    SourceError
        No label, or one that is given twice.
    """

    def __init__(self, source: Source, labels: Sequence[str]) -> None:
        twice = [label for k, label in enumerate(labels) if label in labels[:k]]
        if not labels or twice:
            raise SourceError(
                "channels to select",
                value=f"'{twice[0]}' twice" if twice else "none",
                allowed="labels of channels, each once",
            )
        self._source = source
        self._labels = tuple(labels)
        self._columns: list[int] = []

    @property
    def info(self) -> SourceInfo:
        """What the source delivers; valid once it is open."""
        info = self._source.info
        columns = self._find(info)
        return replace(info, channels=tuple(info.channels[column] for column in columns))

    @property
    def health(self) -> Health:
        """State and counters of the other source, at any time."""
        return self._source.health

    def open(self) -> None:
        """Connect.

        Raises
        ------
        SourceError
            As the other source does.
        SignalMismatchError
            It has no such channel, or two of the same label.
        """
        self._source.open()
        try:
            self._columns = self._find(self._source.info)
        except SignalMismatchError:
            self._source.close()
            raise

    def read(self, timeout_s: float) -> Chunk | None:
        """Return samples as soon as there are some, None after `timeout_s` without any."""
        chunk = self._source.read(timeout_s)
        if chunk is None:
            return None
        lead_in = chunk.lead_in
        return replace(
            chunk,
            samples=self._select(chunk.samples),
            lead_in=None if lead_in is None else self._select(lead_in),
        )

    def close(self) -> None:
        """Let go of the device."""
        self._source.close()

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _find(self, info: SourceInfo) -> list[int]:
        return find_columns([c.label for c in info.channels], self._labels, info.name)

    def _select(self, samples: Samples) -> Samples:
        return samples[:, self._columns]


def find_columns(there: Sequence[str], wanted: Sequence[str], thing: str) -> list[int]:
    """Find channels by their labels.

    A label that is not there as it is written may be there in another spelling: EDF says
    ``EMG 1`` of what LSL calls ``EMG1``.

    Parameters
    ----------
    there : sequence of str
        Labels of a signal.
    wanted : sequence of str
        Labels of the channels to find.
    thing : str
        The signal, for the error.

    Returns
    -------
    list of int
        Columns of the wanted channels, each once.

    Raises
    ------
    SignalMismatchError
        A label that is not there, or is there twice; two that mean the same channel; or none.
    """
    if not wanted:
        raise SignalMismatchError(
            f"channels of {thing}", value="none that is wanted", allowed=", ".join(there)
        )
    columns = []
    plain = [plain_label(label) for label in there]
    for label in wanted:
        exact = [n for n, one in enumerate(there) if one == label]
        found = exact or [n for n, one in enumerate(plain) if one == plain_label(label)]
        if len(found) != 1 or found[0] in columns:
            how = "twice in it" if found else "not in it"
            raise SignalMismatchError(
                f"channel of {thing}",
                value=f"'{label}', {'named twice' if len(found) == 1 else how}",
                allowed=", ".join(there),
                way_out="name channels by labels that it has once",
            )
        columns += found
    return columns


def plain_label(label: str) -> str:
    """Return what is left of a label without its spelling.

    Parameters
    ----------
    label : str
        Such as ``"EMG 1"``, ``"emg_01"``, ``"EMG1"``.

    Returns
    -------
    str
        The same for all three.
    """
    folded = "".join(label.split()).casefold()
    numbered = re.fullmatch(r"([^\W\d_]+)[_-]?0*([0-9]+)", folded)
    return folded if numbered is None else f"{numbered[1]}{numbered[2]}"
