"""A machine that computes too slowly, whatever machine it is."""

import threading
from collections.abc import Callable, Iterator

import pytest

from drivers.source import Chunk
from streamer.session.compute import Compute


@pytest.fixture
def computes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[list[Chunk]], Iterator[Chunk]]:
    """Let sessions compute nothing before the last of these chunks was read."""
    read = threading.Event()
    take = Compute.take

    def late(compute: Compute, chunk: Chunk) -> None:
        assert read.wait(60)
        take(compute, chunk)

    monkeypatch.setattr(Compute, "take", late)

    def script(chunks: list[Chunk]) -> Iterator[Chunk]:
        yield from chunks
        read.set()

    return script
