"""Markers of other programs."""

from contextlib import contextmanager

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.errors import SourceError
from drivers.lsl import LslSource
from drivers.lsl.description import END
from drivers.lsl.library import pylsl
from drivers.lsl.link import Piece
from drivers.source import Chunk, SourceState

pytestmark = pytest.mark.system

RATE = 600.0
WAIT_S = 60.0


@contextmanager
def streams(name: str, values: int, clock: VirtualClock, *, by_id: bool):
    """An EMG stream and a marker stream that know nothing of each other."""
    emg = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", 1, RATE, "float32", name))
    markers = pylsl.StreamOutlet(
        pylsl.StreamInfo(f"{name}-m", "Events", 1, 0.0, values, f"{name}-id" if by_id else "")
    )
    wanted = f"{name}-id" if by_id else f"{name}-m"
    settings = {"unit": "uV", "markers": wanted, "timeout_s": WAIT_S, "clock": clock}
    with LslSource(source_id=name, **settings) as source:
        assert emg.wait_for_consumers(WAIT_S)
        assert markers.wait_for_consumers(WAIT_S)
        held = [markers]
        del markers
        yield emg, held, source


def read_until(source: LslSource, samples: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    while sum(len(chunk.samples) for chunk in chunks) < samples:
        chunk = source.read(WAIT_S)
        assert chunk is not None
        chunks.append(chunk)
    return chunks


@pytest.mark.parametrize(
    ("values", "by_id", "sent", "label"),
    [("string", True, "go left", "go left"), ("int32", False, 42, "42")],
)
def test_a_marker_of_another_program_is_at_its_sample(
    clock, await_markers, values, by_id, sent, label
):
    """What PsychoPy showed stands in the recording at the sample at which it showed it."""
    with streams(f"psy-{values}", values, clock, by_id=by_id) as (emg, markers, source):
        start_s = clock.now_s() - 1.0
        markers[0].push_sample([sent], start_s + 77.2 / RATE)
        await_markers(source, 1)
        emg.push_chunk(np.arange(300, dtype=np.float32)[:, None], start_s + 299 / RATE)
        chunks = read_until(source, 300)
    (found,) = [(c, m) for c in chunks for m in c.markers]
    chunk, marker = found
    assert marker.label == label
    assert chunk.samples[marker.index - chunk.first_index, 0] == 77
    assert {c.epoch for c in chunks} == {0}
    assert source.health.extra["moved_markers"] == 0


def test_markers_of_another_program_begin_utterances_but_end_nothing(clock, await_markers):
    """Another program may divide a session; it cannot end it by the words it happens to use."""
    with streams("psy-words", "string", clock, by_id=True) as (emg, markers, source):
        start_s = clock.now_s() - 1.0
        for sample, label in ((10, END), (20, "utterance 7"), (30, "utterances")):
            markers[0].push_sample([label], start_s + sample / RATE)
        await_markers(source, 3)
        emg.push_chunk(np.arange(60, dtype=np.float32)[:, None], start_s + 59 / RATE)
        chunks = read_until(source, 60)
        assert source.health.state is SourceState.STREAMING
    labels = [(c.epoch, m.index, m.label) for c in chunks for m in c.markers]
    assert labels == [(0, 10, END), (1, 0, "utterance 7"), (1, 10, "utterances")]


def test_markers_that_stop_and_come_back(clock, await_markers):
    """The other program may be started anew between two blocks."""
    with streams("psy-anew", "string", clock, by_id=True) as (emg, markers, source):
        markers.clear()
        anew = pylsl.StreamOutlet(
            pylsl.StreamInfo("psy-anew-m", "Events", 1, 0.0, "string", "psy-anew-id")
        )
        assert anew.wait_for_consumers(WAIT_S)
        start_s = clock.now_s() - 1.0
        anew.push_sample(["back"], start_s + 5 / RATE)
        await_markers(source, 1)
        emg.push_chunk(np.arange(12, dtype=np.float32)[:, None], start_s + 11 / RATE)
        chunks = read_until(source, 12)
    assert [(m.index, m.label) for c in chunks for m in c.markers] == [(5, "back")]
    assert source.health.extra["marker_reconnects"] == 1
    assert source.health.reconnects == 0


def test_a_signal_holds_no_markers():
    """A wrong name is said before the session begins."""
    emg = pylsl.StreamOutlet(pylsl.StreamInfo("both", "EMG", 1, RATE, "float32", "both"))
    with pytest.raises(SourceError, match="'both' with markers: got a signal with 600 Hz"):
        LslSource(source_id="both", unit="uV", markers="both", timeout_s=WAIT_S).open()
    del emg


class KnownLink:
    """A link whose pieces are known."""

    lost, dropped = False, 0

    def __init__(self, *pieces: Piece) -> None:
        self._pieces = list(pieces)

    def find(self):
        return self._pieces[0].stream

    def subscribe(self) -> None:
        pass

    def read(self, timeout_s: float) -> Piece | None:
        return self._pieces.pop(0) if self._pieces else None

    def stop(self) -> None:
        pass

    close = stop


def test_a_marker_of_another_machine_goes_by_its_own_clock(clock, monkeypatch):
    """The clocks of two machines differ by hours; a marker is at its sample all the same."""
    emg = pylsl.StreamInfo("emg", "EMG", 1, RATE, "float32", "emg")
    other = pylsl.StreamInfo("other", "Markers", 1, 0.0, "string", "other")
    now_s, emg_s, other_s = clock.now_s(), -7000.0, 9000.0
    stamps_s = now_s + np.arange(60) / RATE
    links = iter(
        [
            KnownLink(Piece(emg, np.zeros((60, 1)), stamps_s - emg_s, emg_s, now_s)),
            KnownLink(Piece(other, [["x"]], stamps_s[33:34] - other_s, other_s, now_s)),
        ]
    )
    monkeypatch.setattr("drivers.lsl.inlet.Link", lambda *_, **__: next(links))
    with LslSource("emg", unit="uV", markers="other", clock=clock) as source:
        chunk = source.read(0.0)
        assert chunk is not None
        assert [(m.index, m.label) for m in chunk.markers] == [(33, "x")]
        assert chunk.received_s == now_s
        assert source.health.clock_offset_s == emg_s
