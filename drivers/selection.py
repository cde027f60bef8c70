"""Some of a source's channels, in an order of one's choice."""

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
        columns = _columns(info, self._labels)
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
            self._columns = _columns(self._source.info, self._labels)
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

    def _select(self, samples: Samples) -> Samples:
        return samples[:, self._columns]


def _columns(info: SourceInfo, labels: tuple[str, ...]) -> list[int]:
    """Find the channels of these labels."""
    there = [channel.label for channel in info.channels]
    for label in labels:
        if there.count(label) != 1:
            raise SignalMismatchError(
                f"channel of {info.name}",
                value=f"'{label}', {'twice in it' if label in there else 'not in it'}",
                allowed=", ".join(there),
                way_out="name channels by labels that it has once",
            )
    return [there.index(label) for label in labels]
