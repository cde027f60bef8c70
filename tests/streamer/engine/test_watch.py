"""What a session knows of its source's troubles."""

import logging
from dataclasses import replace

import numpy as np
import pytest

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


def test_channels_that_fail_become_events(script_source) -> None:
    """Who looks at a recording must see when the electrode came off."""
    source = script_source([])
    source.open()
    clock = VirtualClock(10.0)
    told: list[tuple[str, float]] = []
    states = iter([(), ("EMG2",), ("EMG2", "EMG5"), ("EMG5",)])
    watch = Watch(
        source,
        [lambda label, time_s: told.append((label, time_s))],
        clock,
        failing=lambda: next(states),
    )
    for _ in range(4):
        watch.look(None)
        clock.advance(1.0)
    assert told == [
        ("channel EMG2 fails", 11.0),
        ("channel EMG5 fails", 12.0),
        ("channel EMG2 works again", 13.0),
    ]


@pytest.mark.parametrize(("scale", "words"), [(1.0, None), (1e-6, "unit"), (1e3, "unit")])
def test_amplitudes_that_are_no_emg_are_told_once(
    emg, chunks_of, script_source, caplog, scale: float, words: str | None
) -> None:
    """Volts that are taken for microvolts give a voice all the same, and no other sign."""
    source = script_source([])
    source.open()
    watch = Watch(source, [])
    with caplog.at_level(logging.WARNING):
        for chunk in chunks_of(emg(9.0) * np.float32(scale), (600,)):
            watch.look(chunk)
        watch.finish()
    logged = [record.getMessage() for record in caplog.records]
    for lines in (logged, watch.problems()):
        assert [words in line for line in lines if words] == ([True] if words else [])
        assert words or not lines


def test_other_channels_than_emg_are_not_judged(emg, chunks_of, script_source) -> None:
    """A force or a trigger has amplitudes of its own, and is seldom in microvolts."""
    source = script_source([])
    source.info = replace(
        source.info,
        channels=tuple(
            replace(channel, type="AUX", unit="N") if k else channel
            for k, channel in enumerate(source.info.channels)
        ),
    )
    source.open()
    watch, signal = Watch(source, []), emg(5.0)
    signal[:, 1:] *= 1e6
    for chunk in chunks_of(signal, (600,)):
        watch.look(chunk)
    watch.finish()
    assert watch.problems() == []


def test_what_a_source_says_is_wrong_is_said_once(script_source, caplog) -> None:
    """A sender of 300 Hz that says 600 makes nonsense of every word, and nobody would know why."""
    source = script_source([])
    source.open()
    told: list[str] = []
    watch = Watch(source, [lambda label, _: told.append(label)], VirtualClock())
    source.health.note("a stream of its name is not taken")
    with caplog.at_level(logging.WARNING):
        watch.look(None)
        for rate_hz in (300.0, 300.1):
            source.health.effective_rate_hz = rate_hz
            source.health.note("a stream of its name is not taken")
            watch.look(None)
    lines = [record.getMessage() for record in caplog.records]
    assert [line[:14] for line in lines] == ["a stream of it", "samples of 'sc"]
    assert told == ["samples at 300 Hz"]
    first, second = watch.problems()
    assert first == "a stream of its name is not taken"
    assert "come at 300.1 Hz, and it declares 600 Hz" in second
