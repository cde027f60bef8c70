"""A session with a model that now and then says what cannot be right."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource
from drivers.source import Channel
from models import inference
from models.bundle import Bundle, packaged_bundle
from streamer.engine.pipeline import PipelineSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session

CALM_UV, WILD_UV = 10.0, 1e6


def test_what_cannot_be_right_is_a_gap_that_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be heard, or the session would die of it as it writes its summary."""
    bundle = Bundle.open(packaged_bundle())
    # What the packaged converter says of ordinary EMG lies within, and what it says of wild, not.
    monkeypatch.setitem(inference.PLAUSIBLE, "mel_cepstrum", (-9.0, 9.0))
    levels_uv = np.repeat([CALM_UV, WILD_UV, CALM_UV], [600, 300, 1500])
    noise = np.random.default_rng(0).normal(size=(2400, 6))
    signal = (noise * levels_uv[:, np.newaxis]).astype(np.float32)
    channels = tuple(Channel(f"EMG{n}") for n in range(1, 7))
    sound = np.random.default_rng(0).normal(0, 0.05, 4 * 16000).astype(np.float32)
    recording = Recording(
        "u", signal, 600.0, channels, audio=sound, audio_rate_hz=16000, mode="audible"
    )
    directory = RunDirectory.create(tmp_path / "run")
    settings = PipelineSettings.model_validate({"gate": {"enabled": False}})
    session = Session(
        ReplaySource([recording], speed=None),
        bundle,
        directory,
        pipeline=settings,
        realtime=False,
        recording_named=lambda name: recording,
    )
    summary = session.run()
    assert summary.error is None
    count = summary.counters["pipeline"]["implausible_frames"]
    assert count > 0
    assert count == summary.counters["pipeline"]["vocoder_replaced_frames"]  # each is silent
    said = f"{count} frames for which a model gave no numbers that can be right"
    assert [line for line in summary.problems if said in line]
    assert json.loads(directory.summary.read_text())["counters"] == summary.counters
    voice = soundfile.read(summary.audio)[0]
    assert len(voice) == 4 * 16000
    assert np.isfinite(voice).all()
    assert abs(voice[: 16000 - 1600]).max() > 0
    assert abs(voice[-8000:]).max() > 0
    assert summary.utterances[0].mcd_db is None
