"""Reading a source to its end, its duration or a stop."""

from dataclasses import replace

import pytest

from drivers.source import Chunk, Marker
from streamer.engine.reader import read_all


def read(source, duration_s=None, stopped=lambda: False) -> tuple[str, list[Chunk]]:
    source.open()
    chunks: list[Chunk | None] = []
    ended = read_all(source, chunks.append, duration_s=duration_s, clock=None, stopped=stopped)
    return ended, [chunk for chunk in chunks if chunk is not None]


def test_all_of_a_source_is_read(emg, chunks_of, script_source) -> None:
    """A time-out is no end."""
    first, second = chunks_of(emg(0.02))
    ended, chunks = read(script_source([first, None, None, second]))
    assert ended == "source"
    assert chunks == [first, second]


@pytest.mark.parametrize(("lost", "samples"), [(0, 9), (4, 5), (9, 0), (5000, 0)])
def test_a_duration_is_right_to_the_sample(emg, chunks_of, script_source, lost, samples) -> None:
    """A cable that comes back after the end must not make the recording longer."""
    first, second = chunks_of(emg(0.04), (12,))
    markers = (Marker(12 + lost, "a"), Marker(12 + lost + 9, "b"))
    second = replace(
        second,
        first_index=12 + lost,
        gap_before=lost,
        time_s=second.time_s + lost / 600,
        markers=markers,
    )
    ended, (_, last) = read(script_source([first, second]), duration_s=21 / 600)
    assert ended == "duration"
    assert len(last.samples) == samples
    assert last.first_index + samples == 21
    assert last.gap_before == min(lost, 9)
    assert last.time_s == pytest.approx(21 / 600)
    assert [marker.label for marker in last.markers] == (["a"] if samples else [])


def test_a_stop_is_a_stop(emg, chunks_of, script_source) -> None:
    """Ctrl-C works while a device is silent."""
    asked = iter((False, False, True))
    ended, chunks = read(script_source([None, None, None]), stopped=lambda: next(asked))
    assert (ended, chunks) == ("stopped", [])
