"""Estimates: honest, calm, and the same live and offline."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.source import Chunk
from models.bundle import Bundle
from streamer.engine.answers import Answer, Estimate
from streamer.engine.decision import NO_SPEECH, UNSURE, Decision, EstimateSettings
from streamer.engine.estimates import Estimator
from streamer.engine.pipeline import Pipeline, PipelineSettings

MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., NDArray[np.float32]]
MakeChunks = Callable[..., list[Chunk]]


def estimate(
    bundle: Bundle, chunks: Sequence[Chunk], settings: EstimateSettings | None = None
) -> tuple[list[Estimate], tuple[Answer | None, Answer | None]]:
    """Run chunks of one epoch."""
    settings = settings or EstimateSettings()
    pipeline = Pipeline(bundle, PipelineSettings(), settings.update_ms / 1000)
    estimator = Estimator(bundle, settings)
    estimates = []
    outputs = [output for chunk in chunks for output in pipeline.process(chunk)]
    for output in (*outputs, *pipeline.finish()):
        made = estimator.push(output, "u", 10.0)
        estimates += [] if made is None else [made]
    return estimates, estimator.end()


def decide(steps: Sequence[tuple[float, float]], **settings: float) -> list[str]:
    """Return the answers to (probability of ``a``, share of speech)."""
    decision = Decision(("a", "b"), EstimateSettings(**settings))
    return [decision.answer(np.array([p, 1 - p]), share, 1.0).answer for p, share in steps]


def test_estimates_come_every_tenth_of_a_second(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A picture of the run needs them on the voice's own timeline."""
    estimates, _ = estimate(toy_bundle, chunks_of(emg(2.05)))
    np.testing.assert_allclose(
        [e.time_s for e in estimates], 10 + 0.1 * np.arange(1, 21), atol=1e-6
    )
    np.testing.assert_allclose(
        [e.epoch_time_s for e in estimates], 0.1 * np.arange(1, 21), atol=1e-6
    )
    assert [e.mode is None for e in estimates] == [True] * 5 + [False] * 15
    windows_s = [e.mode.window_s for e in estimates if e.mode is not None]
    assert windows_s[0] == 0.57  # the frames that are complete after 0.6 s
    assert windows_s[-1] == 1.0
    assert all(
        sum(e.mode.probabilities.values()) == pytest.approx(1, abs=1e-5)
        for e in estimates
        if e.mode is not None
    )


def test_they_do_not_depend_on_the_chunks(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """What is said live must be what the same recording says offline."""
    signal = emg(1.5)
    assert (
        estimate(toy_bundle, chunks_of(signal, (7, 100, 1)))[0]
        == estimate(toy_bundle, chunks_of(signal, (900,)))[0]
    )


@pytest.mark.parametrize("evidence", [True, False])
@pytest.mark.parametrize("sizes", [(60,), (7, 100, 1)])
def test_answers_are_unsure_while_a_channel_fails(
    bundle_with: MakeBundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    evidence: bool,
    sizes: tuple[int, ...],
) -> None:
    """Without an electrode a classifier takes one person for another, and is sure of it."""
    bundle, signal = bundle_with(evidence=evidence), emg(6.0, level_uv=150.0)
    signal[1200:1500, 2] = np.nan
    estimates, (mode, speaker) = estimate(bundle, chunks_of(signal, sizes))
    for one in (estimates[10], estimates[18], estimates[-1]):
        assert one.mode is not None
        assert one.speaker is not None
        assert UNSURE not in (one.mode.answer, one.speaker.answer)
    for one in estimates[22:38]:  # half a second to be good again, and a window of one second
        assert one.mode is not None
        assert one.speaker is not None
        assert one.mode.answer == one.speaker.answer == UNSURE
        assert one.speech > 0.5
    assert mode is not None
    assert speaker is not None
    assert mode.answer == speaker.answer == UNSURE  # of a sixth of the utterance
    if evidence:  # what failed is no evidence
        assert speaker.window_s == pytest.approx(5.0, abs=0.1)
    assert estimates == estimate(bundle, chunks_of(signal, (3600,)))[0]


def test_a_failure_of_a_moment_leaves_the_answer_of_a_long_utterance(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A plug that was touched must not cost the answer of a minute."""
    signal = emg(12.0, level_uv=150.0)
    signal[1200:1230, 2] = np.nan
    _, answers = estimate(bundle_with(), chunks_of(signal, (60,)))
    assert [answer is not None and answer.answer for answer in answers] == ["loud", "loud"]


def test_rest_is_no_speech_and_speech_has_a_label(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """At rest there is nobody to name; the probabilities are told nevertheless."""
    signal = emg(6.0, level_uv=1.0)
    signal[1200:2400] = emg(2.0, level_uv=150.0, seed=1)
    estimates, _ = estimate(toy_bundle, chunks_of(signal))
    labels = [e.mode.answer for e in estimates if e.mode is not None]
    assert labels[0] == NO_SPEECH
    assert labels[30] == "loud"
    assert labels[-1] == NO_SPEECH
    assert estimates[10].speech < 0.1 < 0.9 < estimates[30].speech


def test_the_window_is_cut_as_in_training(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A classifier that sees other windows than it learned from is off its calibration."""
    signal = emg(2.0)
    estimates, _ = estimate(toy_bundle, chunks_of(signal))
    samples, frames, _ = toy_bundle.emg_frames().process(signal.astype(np.float64))
    assert toy_bundle.mode is not None
    # At 1.5 s, 147 frames are complete; the window of 1 s are the last 100 of them.
    vector = toy_bundle.mode.features(samples[47 * 6 : 147 * 6], frames[47:147])
    expected = toy_bundle.mode.probabilities(vector)
    answer = estimates[14].mode
    assert answer is not None
    np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=1e-6)


def test_the_utterances_answer_rests_on_all_of_it(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """The result of an utterance is more than its last window."""
    _, (mode, speaker) = estimate(toy_bundle, chunks_of(emg(3.0, level_uv=150.0)))
    assert mode is not None
    assert mode.label == "loud"
    assert mode.window_s == 2.98
    assert mode == speaker
    assert estimate(toy_bundle, chunks_of(emg(0.3)))[1] == (None, None)


def test_a_long_epoch_keeps_a_bounded_rest(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A live session of a day must not grow in memory."""
    settings = EstimateSettings(longest_s=1.0)
    _, (mode, _) = estimate(toy_bundle, chunks_of(emg(3.0)), settings)
    assert mode is not None
    assert 1.0 <= mode.window_s <= 1.1


def test_a_window_does_not_reach_across_a_reset(toy_bundle: Bundle, emg: MakeEmg) -> None:
    """What was before a loss may have been somebody else."""
    signal = emg(3.8)
    signal[:900] = emg(1.5, level_uv=150.0, seed=3)
    chunks = [Chunk(signal[:900], 0, 0, 1.5, 1.5), Chunk(signal[1200:], 0, 1200, 3.8, 3.8)]
    estimates, (mode, _) = estimate(toy_bundle, chunks)
    after = [e for e in estimates if e.epoch_time_s > 2]
    assert [e.mode is None for e in after[:6]] == [True] * 5 + [False]
    assert after[5].mode is not None
    assert after[5].mode.window_s == 0.57
    alone, _ = estimate(toy_bundle, [Chunk(signal[1200:], 0, 0, 1.8, 1.8)])
    assert after[5].mode.probabilities == alone[5].mode.probabilities  # type: ignore[union-attr]
    assert mode is not None
    assert mode.window_s == pytest.approx(1.48 + 1.78)


def test_a_bundle_without_classifiers_still_tells_speech(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A converter alone is a bundle too."""
    estimates, answers = estimate(bundle_with(classifiers=False), chunks_of(emg(1.0)))
    assert len(estimates) == 10
    assert estimates[-1].mode is estimates[-1].speaker is None
    assert answers == (None, None)


def test_probabilities_that_are_no_numbers_are_no_answer(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that fails on strange EMG must not break the estimates' file."""
    assert toy_bundle.mode is not None
    nan = np.array([np.nan, np.nan])
    monkeypatch.setattr(toy_bundle.mode, "probabilities", lambda vector: nan)
    monkeypatch.setattr(toy_bundle.mode, "utterance", lambda samples, frames: nan)
    estimates, (mode, _) = estimate(toy_bundle, chunks_of(emg(1.0)))
    assert estimates[-1].mode is None
    assert mode is None


@pytest.mark.parametrize(
    ("steps", "labels"),
    [
        # Between the two thresholds the first answer is unsure, ...
        ([(0.55, 1), (0.62, 1), (0.55, 1), (0.45, 1)], [UNSURE, "a", "a", UNSURE]),
        # ... a change needs more than a coin's edge, ...
        ([(0.9, 1), (0.45, 1), (0.39, 1), (0.55, 1)], ["a", UNSURE, "b", UNSURE]),
        # ... and so does a return from rest.
        ([(0.9, 0.1), (0.9, 0.25), (0.9, 0.31), (0.9, 0.25)], [NO_SPEECH, NO_SPEECH, "a", "a"]),
    ],
)
def test_answers_do_not_flicker(steps: list[tuple[float, float]], labels: list[str]) -> None:
    """A label that jumps to and fro is of no use to anybody."""
    assert decide(steps, probability=0.6, hysteresis=0.1, speech_share=0.2) == labels


def test_settings_can_be_replaced() -> None:
    """A user may want to hear of every doubt."""
    assert decide([(0.8, 1)], probability=0.9) == [UNSURE]
    assert decide([(0.51, 0)], probability=0.5, speech_share=0) == ["a"]


def test_the_estimates_of_a_second_epoch_start_anew(
    toy_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A new utterance must not inherit the label of the one before."""
    settings = EstimateSettings()
    pipeline = Pipeline(toy_bundle, PipelineSettings(), 0.1)
    estimator = Estimator(toy_bundle, settings)
    chunks = chunks_of(emg(1.0, level_uv=150.0)) + chunks_of(emg(1.0, seed=4), epoch=1)
    seconds: list[Estimate] = []
    for chunk in chunks:
        for output in pipeline.process(chunk):
            made = estimator.push(output, "u", 0.0)
            if output.ended:
                estimator.end()
            if made is not None and made.epoch == 1:
                seconds.append(made)
    alone, _ = estimate(toy_bundle, chunks_of(emg(1.0, seed=4)))
    assert [replace(e, time_s=0, epoch=0) for e in seconds] == [replace(e, time_s=0) for e in alone]


def test_evidence_is_of_speech_and_starts_anew_after_an_interruption(
    evidence_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """What is said of an instant rests on what came since; the utterance's answer on all."""
    signal = np.concatenate((emg(1.0, level_uv=1.0), emg(2.8, level_uv=150.0)))
    chunks = [Chunk(signal[:1200], 0, 0, 2.0, 2.0), Chunk(signal[1500:], 0, 1500, 3.8, 3.8)]
    estimates, (_, whole) = estimate(evidence_bundle, chunks)
    said = [one.speaker for one in estimates]
    assert said[:5] == [None] * 5
    assert [one.answer for one in said[5:10] if one is not None] == [NO_SPEECH] * 5  # rest
    assert said[12] is not None
    assert said[12].window_s == pytest.approx(0.27, abs=0.03)
    before, after = said[19], said[-1]
    assert before is not None
    assert after is not None
    assert before.window_s == pytest.approx(0.98, abs=0.04)
    assert said[20] is None  # listening anew
    assert after.window_s == 1.0  # of the bundle
    assert whole is not None
    assert whole.window_s == pytest.approx(0.98 + 1.28, abs=0.06)
    assert whole.label == before.label == after.label == "loud"
    # A second is worth two, and more than the bundle's second is not believed.
    odds = [np.log(p["loud"] / p["soft"]) for p in (before.probabilities, whole.probabilities)]
    np.testing.assert_allclose(odds, [2 * before.window_s, 2.0], rtol=1e-3)


def test_another_speaker_is_noticed(
    evidence_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """The first one would be named for as long as he had spoken."""
    signal = np.concatenate((emg(5.0, level_uv=150.0), emg(3.0, level_uv=70.0)))
    estimates, _ = estimate(evidence_bundle, chunks_of(signal))
    labels = [None if one.speaker is None else one.speaker.label for one in estimates]
    assert labels[45:50] == ["loud"] * 5
    assert labels[-10:] == ["soft"] * 10


def test_evidence_does_not_depend_on_the_chunks(
    evidence_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """What is said live must be what the same recording says offline."""
    signal = emg(1.5, level_uv=150.0)
    one, other = (
        estimate(evidence_bundle, chunks_of(signal, sizes)) for sizes in ((7, 100, 1), (900,))
    )
    assert one == other
    assert one[0][-1].speaker is not None


def test_after_speech_there_is_nobody_but_a_label(
    evidence_bundle: Bundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Who spoke is still known at rest; that somebody speaks must not be said."""
    signal = np.concatenate((emg(1.5, level_uv=150.0), emg(3.0, level_uv=1.0)))
    estimates, _ = estimate(evidence_bundle, chunks_of(signal))
    speaking, resting = estimates[14].speaker, estimates[-1].speaker
    assert speaking is not None
    assert resting is not None
    assert speaking.answer == speaking.label == resting.label == "loud"
    assert resting.answer == NO_SPEECH
