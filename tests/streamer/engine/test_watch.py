"""What a session knows of its source's troubles."""

from dataclasses import replace

from drivers.clock import VirtualClock
from drivers.source import SourceState
from streamer.engine.watch import Watch


def test_stalls_returns_and_losses_become_events(emg, chunks_of, script_source) -> None:
    """After a day's recording nobody can know otherwise when the cable was out."""
    source = script_source([])
    source.open()
    clock = VirtualClock(100.0)
    told: list[tuple[str, float]] = []
    watch = Watch(source, [lambda label, time_s: told.append((label, round(time_s, 3)))], clock)
    first, second = chunks_of(emg(0.02))
    clock.advance(0.01)
    watch.look(first)
    assert told == []
    clock.advance(0.5)
    source.health.state = SourceState.STALLED
    watch.look(None)
    clock.advance(2.0)
    source.health.state = SourceState.RECONNECTING
    watch.look(None)
    assert watch.silent_s == 2.5
    assert watch.problems() == ["no EMG from the source for 2 s"]
    clock.advance(1.0)
    source.health.state, source.health.reconnects = SourceState.STREAMING, 1
    source.health.samples, source.health.lost_samples, source.health.gaps = 7900, 2100, 1
    back = replace(second, epoch=1, first_index=2100, gap_before=2100, time_s=103.51)
    watch.look(replace(back, gap_estimated=True))
    assert told == [
        ("source stalled", 100.51),
        ("source reconnecting", 102.51),
        ("reconnected, epoch 1", 103.502),
        ("lost 2100 samples", 103.502),
        ("source streaming", 103.51),
    ]
    assert (watch.stalls, watch.silent_s) == (1, 0.0)
    assert watch.problems() == [
        "the source was lost once and came back",
        "the source lost about 2100 of 10000 samples (21 %) in 1 gap",
    ]


def test_bytes_that_fit_no_profile_are_told(script_source) -> None:
    """Who took the wrong profile hears nothing, and would look for the fault in the cable."""
    source = script_source([])
    source.open()
    watch = Watch(source, [])
    assert watch.problems() == []
    source.health.extra["skipped_bytes"] = 4200
    (line,) = watch.problems()
    assert line.startswith("4200 bytes came and none of them fits the profile")
    source.health.samples = 6  # some fit: what was skipped is noise on the line
    assert watch.problems() == []


def test_underruns_are_events_too(emg, chunks_of, script_source) -> None:
    """A click that somebody heard must be found in the recording."""
    source = script_source([])
    source.open()
    counts = iter((0, 0, 2))
    told: list[str] = []
    watch = Watch(source, [lambda label, _: told.append(label)], None, lambda: next(counts))
    for chunk in chunks_of(emg(0.02)):
        watch.look(chunk)
    assert told == ["underruns 2"]
