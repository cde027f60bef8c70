"""The delay, proven from outside: what a virtual sound card plays, against natural speech."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from drivers.errors import StreamerError
from drivers.recordings.recording import Recording
from drivers.recordings.registry import write_recordings
from streamer.bench.clicks import LARGEST_SD_MS, CardPath, card_path, play_clicks
from streamer.bench.figure import Figure, Progress, Report
from streamer.bench.heard import Heard
from streamer.bench.lag import RATE_HZ, Lag, Spoken, measure_lag
from streamer.bench.pictures import draw_acoustic
from streamer.bench.process import Performance, perform, replaying
from streamer.bench.reaction import Burst, reaction_ms, spread, with_bursts
from streamer.bench.virtual_card import VirtualCard
from streamer.config import Config, write_config
from streamer.recordings import RecordingsSettings, Selection

NULL_SINK = (
    "measured at the monitor of a null sink: it proves the chain up to a sound card's driver, "
    "and no sound card"
)

_SETTLE_S = 2.5  # of the recorder
_ECHO_S = 1.0  # after the last sound


def acoustic(config: Config, path: Path, progress: Progress) -> Report:
    """Measure how late the voice is, and how long EMG takes to sound.

    Parameters
    ----------
    config : Config
        Which recordings, with natural speech, and which models.
    path : Path
        Directory for all that comes of it.
    progress : callable
        Told how far it is.

    Returns
    -------
    Report
        All figures; invalid where the card's path was not steady.

    Raises
    ------
    StreamerError
        There is no virtual card, or no natural speech.
    """
    virtual_card = VirtualCard()
    recordings = list(Selection(config.recordings).recordings)
    longest_s = sum(recording.duration_s for recording in recordings)
    seconds = min(config.bench.acoustic.seconds or longest_s, longest_s)
    bursts = with_bursts(recordings, config.bench.acoustic.bursts)
    write_config(config, path / "config.yaml")
    clicks_s: list[list[float]] = []
    runs: list[Performance] = []
    with virtual_card as card, card.recorded() as recorder:

        def click() -> None:
            progress("clicks", len(clicks_s), 3)
            clicks_s.append(play_clicks(path / "config.yaml", path, card.environment))
            progress("clicks", len(clicks_s), 3)

        time.sleep(_SETTLE_S)
        click()
        replayed = perform(
            _replay(config, config.recordings, seconds),
            path / "replay",
            "replay",
            seconds,
            progress,
            card.environment,
        )
        click()
        for name in ("plain", "burst") if bursts else ():
            file = path / f"{name}.npz"
            write_recordings(file, [getattr(burst, name) for burst in bursts])
            length_s = sum(burst.plain.duration_s for burst in bursts)
            settings = _bursts(config, RecordingsSettings(path=file))
            what = f"bursts, {name}"
            runs.append(perform(settings, path / name, what, length_s, progress, card.environment))
        click()
        time.sleep(_ECHO_S)
    heard = recorder.heard()
    paths = [card_path(times_s, heard) for times_s in clicks_s]
    return report(path, config, recordings, replayed, bursts, runs, heard, paths)


def report(
    path: Path,
    config: Config,
    recordings: list[Recording],
    replayed: Performance,
    bursts: list[Burst],
    runs: list[Performance],
    heard: Heard,
    paths: list[CardPath],
) -> Report:
    """Put the figures together; the parameters are what `acoustic` collected."""
    calibration = CardPath(
        tuple(delay_ms for one in paths for delay_ms in one.delays_ms), sum(p.lost for p in paths)
    )
    said = natural(replayed, recordings)
    lag = measure_lag(said, heard)
    chance = measure_lag([replace(one, audio=one.audio[::-1]) for one in said], heard).correlation
    path_lag = measure_lag(voice(replayed), heard)
    reactions_ms = _reactions(bursts, runs, heard)
    reaction, reaction_sd = spread(reactions_ms)
    card_ms = calibration.median_ms
    values: dict[str, Any] = {
        "net_lag_ms": lag.lag_ms,
        "net_lag_without_card_ms": lag.lag_ms - card_ms,
        "net_lag_of_each_ms": {"median": lag.median_ms, "sd": lag.sd_ms, "all": lag.of_each_ms},
        "correlation": lag.correlation,
        "chance_correlation": chance,
        "path_ms": path_lag.lag_ms,
        "path_of_each_ms": path_lag.of_each_ms,
        "reaction_ms": reaction,
        "reactions_ms": {"sd": reaction_sd, "all": reactions_ms},
        "card_path_ms": card_ms,
        "card_path_sd_ms": calibration.sd_ms,
        "card_paths_ms": [one.median_ms for one in paths],
        "lost_clicks": calibration.lost,
        "recorder_unsteady_ms": heard.unsteady_ms,
        "underruns": replayed.underruns(),
        "device_underflows": replayed.summary["counters"]["audio"].get("device_underflows", 0),
        "algorithmic_ms": replayed.latency["algorithmic_ms"],
    }
    first_ms, *_, last_ms = [*path_lag.of_each_ms.values()] * 2
    figures = [
        Figure(
            "net_lag_ms",
            lag.lag_ms,
            "ms",
            20.0,
            f"heard speech after the natural speech of the same {len(lag.of_each_ms)} utterances, "
            f"card included; correlation {lag.correlation:.2f}, of reversed speech {chance:.2f}",
        ),
        Figure(
            "net_lag_without_card_ms",
            lag.lag_ms - card_ms,
            "ms",
            None,
            f"the same without the card; of each utterance {lag.median_ms:.0f} ms, "
            f"SD {lag.sd_ms:.0f}",
        ),
        Figure(
            "path_ms",
            path_lag.lag_ms,
            "ms",
            None,
            "heard speech after audio.wav, which lies on the EMG's time: buffers, computing, card; "
            f"{first_ms:.0f} ms in the first utterance, {last_ms:.0f} in the last",
        ),
        Figure(
            "card_path_ms",
            card_ms,
            "ms",
            None,
            f"from the card's callback to the recorder, {len(calibration.delays_ms)} clicks "
            f"before, between and after, SD {calibration.sd_ms:.2f} ms",
        ),
        Figure("underruns", replayed.underruns(), "", 0, "underruns, after the first second"),
    ]
    if bursts:
        figures.insert(
            3,
            Figure(
                "reaction_ms",
                reaction,
                "ms",
                None,
                f"from an EMG burst to the first sound of it, median of {len(reactions_ms)} of "
                f"{len(bursts)} bursts, SD {reaction_sd:.1f} ms",
            ),
        )
    invalid = validity(paths, heard, lag, chance, len(reactions_ms), len(bursts))
    picture = draw_acoustic(
        path / "acoustic.png", lag, path_lag, calibration, replayed, recordings, heard
    )
    notes = [NULL_SINK]
    if calibration.lost:
        notes.append(f"{calibration.lost} clicks of the calibration were not heard")
    return Report(figures, values, notes, picture, invalid)


def validity(
    paths: list[CardPath], heard: Heard, lag: Lag, chance: float, reactions: int, bursts: int
) -> str | None:
    """Say why the figures prove nothing, None where they do.

    Parameters
    ----------
    paths : list of CardPath
        One for each series of clicks.
    heard : Heard
        The recorder's.
    lag : Lag
        Of the voice after the natural speech.
    chance : float
        Correlation of the voice with the same speech reversed.
    reactions, bursts : int
        Bursts that were heard, of so many.

    Returns
    -------
    str or None
        A line.
    """
    delays_ms = [delay_ms for one in paths for delay_ms in one.delays_ms]
    sd_ms = CardPath(tuple(delays_ms), 0).sd_ms
    if not all(one.delays_ms for one in paths):
        return "no click of one of the series was heard: the card's path is not known"
    if not sd_ms <= LARGEST_SD_MS:
        return (
            f"the card's path has an SD of {sd_ms:.1f} ms, more than "
            f"{LARGEST_SD_MS:g}: run it again on a machine that is at rest"
        )
    if lag.at_edge or not lag.correlation > chance:
        return (
            f"the voice is like the natural speech ({lag.correlation:.2f} at {lag.lag_ms:.0f} ms) "
            f"no more than like the same reversed ({chance:.2f}): there is no lag to be told"
        )
    if 2 * reactions < bursts:
        return (
            f"no more than {reactions} of {bursts} bursts were heard: --set bench.acoustic.bursts"
        )
    return unsteady(heard)


def unsteady(heard: Heard) -> str | None:
    """Say why a recording has no times, None where it has."""
    if heard.unsteady_ms > LARGEST_SD_MS:
        return (
            f"the recorder was up to {heard.unsteady_ms:.1f} ms off its line, more than "
            f"{LARGEST_SD_MS:g}: run it again on a machine that is at rest"
        )
    return None


def natural(performance: Performance, recordings: list[Recording]) -> list[Spoken]:
    """Return the natural speech of a replay, at the times of its EMG."""
    by_name = {recording.name: recording for recording in recordings}
    result = []
    for epoch in performance.epochs:
        recording = by_name.get(epoch["utterance"])
        if recording is None or recording.audio is None or recording.audio_rate_hz != RATE_HZ:
            continue
        length = round((epoch["last_s"] - epoch["started_s"]) * RATE_HZ)  # it may be cut off
        audio = recording.audio[:length]
        result.append(Spoken(recording.name, audio, epoch["started_s"]))
    if not result:
        raise StreamerError(
            "natural speech",
            value="none at 16 kHz",
            allowed="recordings with parallel speech",
            way_out="choose audible utterances with --subset",
        )
    return result


def voice(performance: Performance) -> list[Spoken]:
    """Return the voice of each epoch as ``audio.wav`` has it, at the times of its EMG."""
    audio, _ = soundfile.read(performance.directory.audio, dtype="float32")
    started_s = {epoch["epoch"]: epoch["started_s"] for epoch in performance.epochs}
    result = []
    for one in performance.summary["utterances"]:
        first = round(one["start_s"] * RATE_HZ)
        part = audio[first : first + round(one["seconds"] * RATE_HZ)]
        result.append(Spoken(one["utterance"], part, started_s[one["epoch"]]))
    return result


def _reactions(bursts: list[Burst], runs: list[Performance], heard: Heard) -> list[float]:
    if not bursts:
        return []
    plain, burst = (
        {epoch["utterance"]: epoch["started_s"] for epoch in run.epochs} for run in runs
    )
    found = [
        reaction_ms(
            heard,
            plain[one.plain.name],
            heard,
            burst[one.burst.name],
            one.begin / one.plain.rate_hz,
        )
        for one in bursts
    ]
    return [float(np.round(value_ms, 3)) for value_ms in found if value_ms is not None]


def _replay(config: Config, recordings: RecordingsSettings, seconds: float | None) -> Config:
    return replaying(config.model_copy(update={"recordings": recordings}), seconds)


def _bursts(config: Config, recordings: RecordingsSettings) -> Config:
    """Return settings with which two runs of the same EMG give the same voice."""
    gate = config.pipeline.gate.model_copy(update={"enabled": False})
    alike = {
        "audio": config.audio.model_copy(update={"drift_control": False}),
        "pipeline": config.pipeline.model_copy(update={"gate": gate}),
    }
    return _replay(config.model_copy(update=alike), recordings, None)
