"""The pipeline: the timeline holds, whatever the chunks, the gaps and the epochs are."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError, SourceError
from drivers.source import Chunk
from models.bundle import Bundle
from streamer.engine.gate import GateSettings
from streamer.engine.pipeline import Pipeline, PipelineSettings
from streamer.engine.timeline import Output

Emg = NDArray[np.float32]
MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., Emg]
MakeChunks = Callable[..., list[Chunk]]

OPEN = PipelineSettings(gate=GateSettings(enabled=False))
AUDIO_PER_EMG = 16000 / 600


def run(
    bundle: Bundle, chunks: Sequence[Chunk], settings: PipelineSettings = OPEN
) -> tuple[list[Output], Pipeline]:
    pipeline = Pipeline(bundle, settings, 0.1)
    outputs = [output for chunk in chunks for output in pipeline.process(chunk)]
    outputs += pipeline.finish()
    return outputs, pipeline


def audio(outputs: Sequence[Output]) -> NDArray[np.float32]:
    """Put the blocks of one epoch together, each where it says."""
    end = max(block.first_index + len(block.samples) for o in outputs for block in o.blocks)
    joined = np.full(end, np.nan, dtype=np.float32)
    for output in outputs:
        for block in output.blocks:
            place = slice(block.first_index, block.first_index + len(block.samples))
            assert np.isnan(joined[place]).all()
            joined[place] = block.samples
    assert not np.isnan(joined).any()
    return joined


def played(outputs: Sequence[Output]) -> NDArray[np.float32]:
    """Put together what the loudspeaker gets."""
    return np.concatenate([block.played for o in outputs for block in o.blocks])


@pytest.mark.parametrize("sizes", [(1,), (6,), (40, 7), (400,)])
@pytest.mark.parametrize("lead_ms", [0.0, 60.0])
def test_a_corrected_clock_leaves_the_timeline_alone(
    bundle_with: MakeBundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    sizes: Sequence[int],
    lead_ms: float,
) -> None:
    """Sample n of audio.wav must stay EMG time n / 16000 s, while the card gets what it needs."""
    bundle, signal = bundle_with(lead_ms=lead_ms), emg(2.0)
    asked: list[int] = []

    def correction() -> int:
        asked.append((1, 1, -1, 0)[len(asked) % 4])
        return asked[-1]

    pipeline = Pipeline(bundle, OPEN, 0.1, correction)
    outputs = [o for chunk in chunks_of(signal, sizes) for o in pipeline.process(chunk)]
    outputs += pipeline.finish()
    plain, _ = run(bundle, chunks_of(signal, sizes))
    assert len(asked) >= 19
    assert len(audio(outputs)) == len(audio(plain))
    assert len(played(outputs)) == len(played(plain)) + sum(asked)
    assert all(len(o.made.played) - len(o.made.audio) in (-1, 0, 1) for o in outputs)
    assert all(block.played is block.samples for o in plain for block in o.blocks)


def joined(outputs: Sequence[Output], name: str) -> NDArray[np.float64]:
    return np.concatenate([getattr(output.made, name) for output in outputs])


def without(emg: Emg, ranges: Sequence[tuple[int, int]]) -> list[Chunk]:
    """Cut ranges out of EMG."""
    chunks, first, lost = [], 0, 0
    for start, stop in [*ranges, (len(emg), len(emg))]:
        if start > first:
            time_s = start / 600
            chunks.append(Chunk(emg[first:start], 0, first, time_s, time_s, gap_before=lost))
            lost = 0
        lost += stop - start
        first = stop
    return chunks


def recut(chunks: Sequence[Chunk], sizes: Sequence[int]) -> list[Chunk]:
    """Cut chunks further, into these sizes again and again."""
    parts, n = [], 0
    for chunk in chunks:
        begin = 0
        while begin < len(chunk.samples):
            end = min(begin + sizes[n % len(sizes)], len(chunk.samples))
            parts.append(
                replace(
                    chunk,
                    samples=chunk.samples[begin:end],
                    first_index=chunk.first_index + begin,
                    time_s=(chunk.first_index + end) / 600,
                    gap_before=chunk.gap_before if begin == 0 else 0,
                    lead_in=chunk.lead_in if begin == 0 else None,
                )
            )
            begin, n = end, n + 1
    return parts


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5),
    gaps=st.lists(st.tuples(st.integers(0, 480), st.integers(1, 40)), max_size=3),
    bad=st.lists(st.integers(0, 520), max_size=3),
    lead=st.sampled_from([0.0, 60.0]),
    future=st.sampled_from([0, 3]),
    remembers=st.booleans(),
)
def test_chunks_do_not_matter(
    bundle_with: MakeBundle,
    emg: MakeEmg,
    sizes: list[int],
    gaps: list[tuple[int, int]],
    bad: list[int],
    lead: float,
    future: int,
    remembers: bool,
) -> None:
    """Live speech must be what the same EMG gives offline, losses included."""
    bundle = bundle_with(lead_ms=lead, future=future, remembers=remembers)
    signal = emg(0.9)
    for number, index in enumerate(bad):
        signal[index, : 6 if number % 2 else 3] = np.nan
    ranges, last = [], 0
    for start, length in sorted(gaps):
        begin = max(start, last)
        ranges.append((begin, begin + length))
        last = begin + length
    chunks = without(signal, ranges)
    whole, reference = run(bundle, chunks, PipelineSettings())
    parts, pipeline = run(bundle, recut(chunks, sizes), PipelineSettings())
    assert pipeline.counters() == reference.counters()
    for name in ("samples", "frames", "activity", "mel_cepstrum"):
        np.testing.assert_allclose(joined(parts, name), joined(whole, name), atol=1e-9)
    np.testing.assert_allclose(audio(parts), audio(whole), atol=1e-4)
    assert [o.end_index for o in whole if o.end_index % 60 == 0 and len(o.made.samples)] == [
        o.end_index for o in parts if o.end_index % 60 == 0 and len(o.made.samples)
    ]


@settings(max_examples=20)
@given(n=st.integers(1, 300), lead=st.sampled_from([0.0, 60.0]))
def test_audio_is_as_long_as_the_emg(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks, n: int, lead: float
) -> None:
    """Sample n of the WAV is EMG time n / 16000, so an epoch's end must be in its place."""
    outputs, _ = run(bundle_with(lead_ms=lead), chunks_of(emg(1.0)[:n], (7, 50)))
    assert outputs[-1].ended
    assert outputs[-1].audio_length == round(n * AUDIO_PER_EMG)
    made = len(audio(outputs))
    if lead:
        assert made >= outputs[-1].audio_length
    else:
        assert made == outputs[-1].audio_length or n < 24  # less than a frame: only a fade


def test_the_voice_lies_where_its_emg_lies(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Latency must not shift the recorded voice against the EMG."""
    signal = emg(2.0, level_uv=1.0)
    signal[600:900] = emg(0.5, level_uv=100.0, seed=2)
    for future in (0, 5):
        gate = GateSettings(attack_ms=0, hold_ms=0, release_ms=0, attenuation_db=80)
        outputs, _ = run(bundle_with(future=future), chunks_of(signal), PipelineSettings(gate=gate))
        voice = audio(outputs)
        loud = np.flatnonzero(np.abs(voice) > 0.1 * np.abs(voice).max())
        assert abs(loud[0] / 16000 - 1.0) < 0.03
        assert abs(loud[-1] / 16000 - 1.5) < 0.03


def test_lead_shifts_the_voice_by_itself(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A converter that predicts what comes 60 ms later must be placed 60 ms later."""
    plain, _ = run(bundle_with(), chunks_of(emg(1.0)))
    ahead, _ = run(bundle_with(lead_ms=60.0), chunks_of(emg(1.0)))
    voice, shifted = audio(plain), audio(ahead)
    assert not shifted[: 6 * 160].any()
    np.testing.assert_array_equal(shifted[960 : 960 + 12000], voice[:12000])
    assert ahead[0].blocks[0].kind == "lead_in"


def test_an_epoch_starts_afresh(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """An utterance must sound the same wherever it comes in a session."""
    bundle, second = bundle_with(), emg(0.7, seed=5)
    outputs, _ = run(bundle, chunks_of(emg(0.6)) + chunks_of(second, epoch=1))
    alone, _ = run(bundle, chunks_of(second))
    of_second = [output for output in outputs if output.epoch == 1]
    np.testing.assert_array_equal(audio(of_second), audio(alone))
    assert [o.epoch for o in outputs if o.ended] == [0, 1]


def test_a_short_gap_is_bridged_flagged_and_counted(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """A lost radio packet must not interrupt the voice, and must not be hidden."""
    signal = emg(1.0)
    outputs, pipeline = run(bundle_with(), without(signal, [(300, 312)]))
    whole, _ = run(bundle_with(), [Chunk(signal, 0, 0, 1.0, 1.0)])
    assert pipeline.counts.lost_samples == pipeline.counts.interpolated_samples == 12
    assert (pipeline.counts.gaps, pipeline.counts.long_gaps) == (1, 0)
    assert outputs[-1].lost_samples == 12
    assert len(joined(outputs, "frames")) == len(joined(whole, "frames"))
    assert all(block.kind != "gap" for output in outputs for block in output.blocks)
    np.testing.assert_array_equal(audio(outputs)[:7000], audio(whole)[:7000])


def test_a_long_gap_is_silence_of_its_length(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """After a loss, the voice must be in time with the EMG again, and no click may be heard."""
    signal = emg(2.0)
    for lead_ms in (0.0, 60.0):
        lead = round(lead_ms * 16)
        bundle = bundle_with(lead_ms=lead_ms)
        outputs, pipeline = run(bundle, without(signal, [(600, 800)]))
        voice = audio(outputs)
        assert (pipeline.counts.gaps, pipeline.counts.long_gaps) == (1, 1)
        assert pipeline.counts.lost_samples == 200
        assert pipeline.counts.interpolated_samples == 0
        assert outputs[-1].audio_length == 32000
        gap = voice[16000 + lead : round(800 * AUDIO_PER_EMG) + lead]
        assert not gap[200:].any()
        alone, _ = run(bundle, [Chunk(signal[800:], 0, 0, 1.0, 1.0)])
        start = round(800 * AUDIO_PER_EMG)
        np.testing.assert_allclose(voice[start : start + 15000], audio(alone)[:15000], atol=1e-9)
        last = np.flatnonzero(voice[: start + lead])[-1]
        level = np.abs(voice[last - 800 : last - 100]).max()
        assert np.abs(voice[last - 3 : last + 1]).max() < 0.2 * level
        assert [o.new_segment for o in outputs if o.first_index == 800] == [True]


def test_a_gap_longer_than_all_before_it(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """A connection whose first second is lost must still be placed in time."""
    signal = emg(1.5)
    outputs, pipeline = run(bundle_with(), without(signal, [(0, 600)]))
    assert outputs[-1].audio_length == 24000
    assert not audio(outputs)[:16000].any()
    assert pipeline.counts.lost_samples == 600


def test_what_was_lost_before_a_return_is_silence_in_its_place(
    bundle_with: MakeBundle, emg: MakeEmg
) -> None:
    """After a cable was out, voice and EMG must have the same clock as before."""
    signal = emg(2.0)
    before, lost, after = signal[:600], 300, signal[900:]
    for lead_ms in (0.0, 60.0):
        bundle = bundle_with(lead_ms=lead_ms)
        lead = round(lead_ms * 16)
        back = Chunk(after, 1, lost, 2.0, 2.0, gap_before=lost)
        outputs, pipeline = run(bundle, [Chunk(before, 0, 0, 1.0, 1.0), back])
        first, second = ([o for o in outputs if o.epoch == epoch] for epoch in (0, 1))
        assert [o.ended for o in first].index(True) == len(first) - 1
        assert first[-1].audio_length == 16000
        assert second[-1].audio_length == 16000
        assert (first[-1].lost_samples, second[-1].lost_samples) == (0, lost)
        assert (pipeline.counts.gaps, pipeline.counts.long_gaps) == (1, 1)
        # The voice fades out within a hop, and nothing is made up until the EMG is back.
        tail = audio(first)[16000:]
        assert len(tail) <= lead + 160
        voice = audio(second)
        assert not voice[: 8000 + lead].any()
        alone, _ = run(bundle, [Chunk(after, 0, 0, 1.0, 1.0)])
        np.testing.assert_allclose(voice[8000:], audio(alone), atol=1e-9)


def test_hours_of_silence_cost_no_memory(toy_bundle: Bundle, emg: MakeEmg) -> None:
    """A cable that was out over night must not take the machine down when it is back."""
    lost = 12 * 3600 * 600
    part = emg(0.5)
    pipeline = Pipeline(toy_bundle, OPEN, 0.1)
    silent: set[int] = set()
    total = 0
    back = Chunk(part, 0, lost, 0.0, 0.0, gap_before=lost)
    for output in (*pipeline.process(back), *pipeline.finish()):
        for block in output.blocks:
            assert block.first_index == total
            total += len(block.samples)
            if block.kind == "gap" and len(block.samples) > 1000:
                assert not block.samples.any()
                silent.add(block.samples.__array_interface__["data"][0])
    assert total >= 16000 * (12 * 3600 + 0.5)
    assert len(silent) == 1
    assert pipeline.counts.lost_samples == lost


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_without_any_number_are_lost_exactly_those(
    bundle_with: MakeBundle, emg: MakeEmg, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad value must not silence the filters for ever, and must be told."""
    signal = emg(1.0)
    broken = signal.copy()
    broken[300:306] = value
    broken[400] = value
    with caplog.at_level(logging.WARNING):
        outputs, pipeline = run(bundle_with(), recut([Chunk(broken, 0, 0, 1.0, 1.0)], [50]))
    lost, _ = run(bundle_with(), without(signal, [(300, 306), (400, 401)]))
    np.testing.assert_allclose(audio(outputs), audio(lost), atol=1e-4)
    assert pipeline.counts.invalid_samples == pipeline.counts.lost_samples == 7
    assert pipeline.counts.interpolated_samples == 7
    assert pipeline.counters()["missing_values"] == 0
    assert len(caplog.records) == 1


def fails(signal: Emg, how: str, first: int, last: int, channel: int = 1) -> Emg:
    """Return EMG with a channel that fails for a while."""
    broken = signal.copy()
    noise = signal[first:last, channel]
    broken[first:last, channel] = {
        "NaN": np.full(last - first, np.nan),
        "flat": np.full(last - first, 300.0),
        "saturated": np.full(last - first, 8000.0),
        "clipped": np.clip((noise - 300) * 100, -500, 500) + 300,
    }[how]
    return broken


@pytest.mark.parametrize("how", ["NaN", "flat", "saturated", "clipped"])
def test_a_channel_that_fails_does_not_silence_the_others(
    bundle_with: MakeBundle, emg: MakeEmg, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One loose electrode must cost its own part of the voice, and no more."""
    signal = emg(6.0)
    with caplog.at_level(logging.WARNING):
        outputs, pipeline = run(
            bundle_with(remembers=True),
            recut([Chunk(fails(signal, how, 1200, 2411), 0, 0, 6.0, 6.0)], [60]),
        )
    whole, _ = run(bundle_with(remembers=True), [Chunk(signal, 0, 0, 6.0, 6.0)])
    assert pipeline.counts.lost_samples == pipeline.counts.gaps == 0
    assert len(audio(outputs)) == len(audio(whole))
    frames, expected = joined(outputs, "frames"), joined(whole, "frames")
    others = np.arange(30) // 5 != 1
    np.testing.assert_array_equal(frames[:, others], expected[:, others])
    np.testing.assert_array_equal(frames[:190], expected[:190])
    # Half a second until a flat line is one, half a second until it is good again.
    mean = expected[255:395].reshape(-1, 6, 5)[:, [0, 2, 3, 4, 5]].mean(axis=1)
    np.testing.assert_allclose(frames[255:395, 5:10], mean)
    # Then its filter has settled: one that began with the EMG would differ no less.
    np.testing.assert_allclose(frames[500:, 5:10], expected[500:, 5:10], atol=0.2)
    assert all(block.kind != "gap" for output in outputs for block in output.blocks)
    (report,) = [one for one in pipeline.failures.channels() if one.failures]
    assert report.label == "EMG2"
    assert 1.9 < report.failing_s < 2.7
    assert not report.failing
    assert pipeline.failures.failing == ()
    begin, end = (record.getMessage() for record in caplog.records)
    assert "EMG2 fails" in begin
    assert "EMG2 works again" in end
    (problem,) = pipeline.failures.problems()
    assert "EMG2" in problem


def test_where_no_channel_is_left_there_is_rest(
    bundle_with: MakeBundle, emg: MakeEmg, caplog: pytest.LogCaptureFixture
) -> None:
    """A cable that is out must not speak: nothing can be expected from nothing."""
    signal = emg(4.0)
    signal[600:] = 300.0
    with caplog.at_level(logging.WARNING):
        outputs, pipeline = run(bundle_with(), [Chunk(signal, 0, 0, 4.0, 4.0)], PipelineSettings())
    (message,) = [record.getMessage() for record in caplog.records]
    assert "EMG1, EMG2, EMG3, EMG4, EMG5, EMG6 fail " in message
    assert "no channel is left" in message
    (problem,) = pipeline.failures.problems()
    assert "EMG1, EMG2" in problem
    assert len(pipeline.failures.failing) == 6
    assert joined(outputs, "activity")[200:].max() < 0.5
    assert np.isfinite(audio(outputs)).all()


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=4),
    first=st.integers(0, 900),
    length=st.integers(1, 900),
    how=st.sampled_from(["NaN", "flat", "saturated", "clipped"]),
    gap=st.tuples(st.integers(0, 1100), st.integers(1, 40)),
    remembers=st.booleans(),
)
def test_chunks_do_not_matter_to_a_channel_that_fails(
    bundle_with: MakeBundle,
    emg: MakeEmg,
    sizes: list[int],
    first: int,
    length: int,
    how: str,
    gap: tuple[int, int],
    remembers: bool,
) -> None:
    """What a failing electrode does offline must be what it does live."""
    bundle, signal = bundle_with(remembers=remembers), emg(2.5)
    chunks = without(fails(signal, how, first, min(first + length, 1500)), [(gap[0], sum(gap))])
    whole, reference = run(bundle, chunks, PipelineSettings())
    parts, pipeline = run(bundle, recut(chunks, sizes), PipelineSettings())
    assert pipeline.counters() == reference.counters()
    assert pipeline.failures.channels() == reference.failures.channels()
    for name in ("samples", "frames"):
        np.testing.assert_array_equal(joined(parts, name), joined(whole, name))
    np.testing.assert_allclose(audio(parts), audio(whole), atol=1e-4)


def test_a_failure_of_a_moment_is_told_though_its_chunk_was_long(
    bundle_with: MakeBundle, emg: MakeEmg, caplog: pytest.LogCaptureFixture
) -> None:
    """A replay hands on seconds at once: a user must learn of it all the same."""
    signal = fails(emg(6.0), "NaN", 1200, 1300)
    with caplog.at_level(logging.WARNING):
        run(bundle_with(), [Chunk(signal, 0, 0, 6.0, 6.0)])
    assert ["fails" in record.getMessage() for record in caplog.records] == [True, False]


def test_an_electrode_that_comes_and_goes_all_day_is_not_told_all_day(
    bundle_with: MakeBundle, emg: MakeEmg, caplog: pytest.LogCaptureFixture
) -> None:
    """Other messages would be lost among a thousand of one loose contact; it is counted."""
    signal = emg(20.0)
    for first in range(300, 11_000, 900):
        signal[first : first + 100, 0] = np.nan
    with caplog.at_level(logging.WARNING):
        _, pipeline = run(bundle_with(), recut([Chunk(signal, 0, 0, 20.0, 20.0)], [60]))
    assert pipeline.failures.channels()[0].failures == 12
    assert len(caplog.records) == 6
    assert "only counted" in caplog.records[-1].getMessage()


def test_the_end_of_an_epoch_can_be_lost(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """An utterance whose end was dropped keeps its length and says what is missing."""
    signal = emg(1.0)
    empty = Chunk(signal[:0], 0, 600, 1.0, 1.0)
    outputs, pipeline = run(bundle_with(), [Chunk(signal[:450], 0, 0, 0.75, 0.75), empty])
    assert outputs[-1].audio_length == 16000
    voice = audio(outputs)
    assert len(voice) == 16000
    assert not voice[13000:].any()
    assert pipeline.counts.lost_samples == 150


def test_filters_settle_on_the_samples_before(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """The first words of an utterance must not drown in a filter's transient."""
    signal = emg(2.0)
    signal[:, 0] += np.linspace(0, 5000, len(signal), dtype=np.float32)
    bundle = bundle_with()
    expected = bundle.emg_frames().process(signal.astype(np.float64))[0][600:]
    chunk = Chunk(signal[600:], 0, 0, 1.0, 1.0, lead_in=signal[:600])
    outputs, _ = run(bundle, [chunk])
    np.testing.assert_allclose(joined(outputs, "samples"), expected, atol=1e-9)


def test_filters_settle_on_numbers_alone(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """One bad value right before an utterance must not silence all of it."""
    signal, bundle = emg(1.5), bundle_with()
    lead_in = signal[:300].copy()
    lead_in[100], lead_in[299, 5] = np.nan, np.inf
    chunk = Chunk(signal[300:], 0, 0, 1.0, 1.0, lead_in=lead_in)
    outputs, pipeline = run(bundle, [chunk])
    held = signal[:300].copy()
    held[299, 5] = held[298, 5]
    expected, _ = run(bundle, [replace(chunk, lead_in=np.delete(held, 100, axis=0))])
    np.testing.assert_array_equal(joined(outputs, "samples"), joined(expected, "samples"))
    assert np.isfinite(joined(outputs, "samples")).all()
    assert pipeline.counts.lost_samples == 0


def test_equal_values_at_either_end_of_a_gap_are_no_full_scale(
    bundle_with: MakeBundle, emg: MakeEmg
) -> None:
    """A user would look for an amplifier at its limit, where a radio lost samples."""
    signal = emg(1.0)
    signal[297:300, 1] = signal[400:403, 1] = 310.0
    _, pipeline = run(bundle_with(), without(signal, [(300, 400)]))
    assert pipeline.counters()["saturated_samples"] == 0
    whole = np.delete(signal, range(300, 400), axis=0)
    _, pipeline = run(bundle_with(), [Chunk(whole, 0, 0, 1.0, 1.0)])
    assert pipeline.counters()["saturated_samples"] == 6


def test_frames_know_when_they_were_acquired(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Latency is counted from the last sample that a frame needs, not from its chunk."""
    for size in (6, 300):
        outputs, _ = run(toy_bundle, chunks_of(emg(1.0), (size,), start_s=100.0))
        times_s = np.concatenate([output.frame_times_s for output in outputs])
        np.testing.assert_allclose(times_s[:97], 100 + (24 + 6 * np.arange(97)) / 600)
        assert times_s.max() <= 101.0
        ends_s = [output.time_s for output in outputs]
        np.testing.assert_allclose(ends_s, [100 + output.end_index / 600 for output in outputs])


def test_a_source_that_goes_back_is_refused(toy_bundle: Bundle, emg: MakeEmg) -> None:
    """Samples that come twice would tear the timeline apart."""
    pipeline = Pipeline(toy_bundle, OPEN, 0.1)
    chunk = Chunk(emg(0.1), 0, 0, 0.1, 0.1)
    list(pipeline.process(chunk))
    with pytest.raises(SourceError, match="first sample of a chunk of epoch 0: got 0"):
        list(pipeline.process(chunk))


def test_other_channels_are_refused(toy_bundle: Bundle, emg: MakeEmg) -> None:
    """A wrong channel count is a mistake of a driver, and must not become noise."""
    pipeline = Pipeline(toy_bundle, OPEN, 0.1)
    with pytest.raises(SignalMismatchError):
        list(pipeline.process(Chunk(emg(0.1)[:, :5], 0, 0, 0.1, 0.1)))


def test_finish_without_an_epoch_gives_nothing(toy_bundle: Bundle) -> None:
    """A session that was stopped before its first sample ends like any other."""
    assert list(Pipeline(toy_bundle, OPEN, 0.1).finish()) == []
