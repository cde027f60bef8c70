"""The picture of a run."""

import dataclasses
import errno
import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from drivers.recordings.recording import Recording
from drivers.source import Channel
from streamer.engine.answers import Answer, Estimate
from streamer.results.envelope import Envelope
from streamer.results.outputs import OutputError, RunDirectory
from streamer.results.overview import LONGEST_S, draw_overview, read_course
from streamer.results.panels import draw_markers, spectrogram_db
from streamer.results.summary import Event, Summary, UtteranceResult

RATE_HZ = 16000
NAMES = ("101-001-0103", "101-001-0104")


def answer(labels: str, said: str) -> Answer:
    return Answer(labels[0], said, {label: 1 / len(labels) for label in labels}, 1.0)


@dataclasses.dataclass(frozen=True)
class Made:
    """A run that never ran."""

    directory: RunDirectory
    summary: Summary
    envelope: Envelope


def make(path: Path, seconds: float, *, classifiers: bool = True) -> Made:
    directory = RunDirectory.create(path)
    rng = np.random.default_rng(0)
    samples = round(seconds * RATE_HZ)
    soundfile.write(directory.audio, 0.1 * rng.standard_normal(samples), RATE_HZ)
    half_s = seconds / 2
    utterances = [
        UtteranceResult(name, number, "", number * half_s, half_s, 0, 0, None, None, None)
        for number, name in enumerate(NAMES)
    ]
    said = answer("abc", "a") if classifiers else None
    lines = [
        Estimate(float(t), int(t >= half_s), "", 0.0, 0.5, said, said).as_dict()
        for t in np.arange(0.1, seconds, 0.1)
    ]
    directory.estimates.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    envelope = Envelope(600.0, 6)
    envelope.add(0.0, rng.normal(0, 30, (round(half_s * 600), 6)))
    summary = Summary(
        directory=str(path),
        audio=str(directory.audio),
        ended="source",
        error=None,
        problems=[],
        notes=[],
        utterances=utterances,
        mcd_db=6.0,
        frames=0,
        seconds=seconds,
        lost_samples=0,
        underruns=0,
        realtime_factor=1.0,
        latency_ms={},
        playback={},
        counters={},
        source={},
        models={},
        channels=[],
    )
    return Made(directory, summary, envelope)


def natural(name: str) -> Recording:
    channels = tuple(Channel(f"EMG{number}") for number in range(1, 7))
    emg = np.zeros((600, 6), np.float32)
    audio = np.full(RATE_HZ, 0.1, np.float32)
    return Recording(name, emg, 600.0, channels, audio=audio, audio_rate_hz=RATE_HZ)


def size(picture: Path | None) -> tuple[int, int]:
    assert picture is not None
    height, width, _ = matplotlib.image.imread(picture).shape
    return height, width


def test_picture_grows_with_what_there_is_to_show(tmp_path: Path) -> None:
    """Natural speech, or who speaks how, would be missing from the picture."""
    plain = make(tmp_path / "plain", 2.0, classifiers=False)
    height, width = size(draw_overview(plain.directory, plain.summary, plain.envelope))
    full = make(tmp_path / "full", 2.0)
    more, same = size(draw_overview(full.directory, full.summary, full.envelope, natural))
    assert same == width
    assert more > height + 400


def test_utterance_without_natural_speech_is_no_error(tmp_path: Path) -> None:
    """A live epoch that no recording is the source of would cost the whole picture."""
    run = make(tmp_path / "run", 2.0)
    without = size(draw_overview(run.directory, run.summary, run.envelope, lambda name: None))
    assert without == size(draw_overview(run.directory, run.summary, run.envelope))


def test_long_run_shows_its_first_minute(tmp_path: Path) -> None:
    """An hour would take minutes to draw and show nothing."""
    assert LONGEST_S == 60
    run = make(tmp_path / "run", 70.0)
    assert size(draw_overview(run.directory, run.summary, run.envelope))[0] > 500
    course = read_course(run.directory.estimates, "mode", LONGEST_S)
    assert course[-1].time_s <= LONGEST_S


def test_run_that_ended_at_once_leaves_no_picture(tmp_path: Path) -> None:
    """Ctrl-C in the first moment would end in a traceback."""
    run = make(tmp_path / "run", 0.01)
    assert draw_overview(run.directory, run.summary, run.envelope) is None


def test_picture_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """A full disk would end in a traceback."""
    run = make(tmp_path / "run", 1.0)
    (tmp_path / "run" / "overview.png").mkdir()
    with pytest.raises(OutputError, match=r"overview\.png"):
        draw_overview(run.directory, run.summary, run.envelope)


def test_spectrogram_finds_a_tone() -> None:
    """Frequencies in the picture would be wrong."""
    tone = np.sin(2 * np.pi * 2000 * np.arange(RATE_HZ) / RATE_HZ)
    level_db = spectrogram_db(tone)
    assert level_db.shape == (201, 196)
    assert (level_db.argmax(axis=0) == 2000 // 40).all()


@pytest.mark.parametrize("label", ["$x_{$", "\x1b[2Ja", "a" * 5000, "_a", "[red]", "\udc80"])
def test_names_and_markers_are_in_the_picture_whatever_they_are(label: str, tmp_path: Path) -> None:
    """What was presented when could not be seen, or a label would end the run in a traceback."""
    made = make(tmp_path / "run", 2.0)
    named = [dataclasses.replace(one, utterance=label) for one in made.summary.utterances]
    made.summary.utterances[:] = named
    made.summary.markers.extend(Event(label, time_s, 0) for time_s in (0.5, 0.5001, 1.5, 99.0))
    figure = Figure()
    axes = figure.subplots()
    draw_markers(axes, made.summary.markers, 2.0)
    assert [text.xy[0] for text in axes.texts] == [0.5, 1.5]  # type: ignore[attr-defined]
    assert max(len(text.get_text()) for text in axes.texts) <= 24
    assert draw_overview(made.directory, made.summary, made.envelope) is not None


def test_a_picture_of_outputs_that_were_moved_is_one_line(tmp_path: Path) -> None:
    """A run whose directory was cleaned up would end in a traceback."""
    made = make(tmp_path / "run", 2.0)
    made.directory.audio.unlink()
    with pytest.raises(OutputError, match=r"overview\.png"):
        draw_overview(made.directory, made.summary, made.envelope)


def test_half_a_picture_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk would leave a picture that no program opens."""
    made = make(tmp_path / "run", 2.0)

    def full(figure: Figure, file: Path, **_: object) -> None:
        file.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OutputError, match="No space left"):
        draw_overview(made.directory, made.summary, made.envelope)
    assert [*made.directory.path.glob("*overview*"), *made.directory.path.glob(".*")] == []
