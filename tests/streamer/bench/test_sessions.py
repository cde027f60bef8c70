"""The benches of whole sessions, as short as they can be."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from drivers.clock import VirtualClock
from streamer.bench import clicks, virtual_card
from streamer.bench.clicks import ClickBuffer, card_path
from streamer.bench.filtering import compare_filters
from streamer.bench.lag import Spoken, measure_lag
from streamer.bench.virtual_card import RATE_HZ, Recorder, missing_packages
from streamer.cli import cli
from streamer.recordings import RecordingsSettings, Selection

missing = missing_packages()
needs_card = pytest.mark.skipif(
    bool(missing), reason=f"no virtual sound card: missing {', '.join(missing)}"
)


def measured(*words: str, out: Path) -> dict[str, Any]:
    """Run a bench, whatever this machine makes of its targets."""
    result = CliRunner().invoke(cli, ["bench", *words, "--out", str(out), "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert result.exit_code in (0, 1), result.output
    content: dict[str, Any] = json.loads(result.stdout)
    assert content == json.loads((out / "bench.json").read_text())
    picture = imread(content["picture"])
    assert picture.shape[0] > 500
    assert np.ptp(picture) > 0.5
    return content


@pytest.mark.realtime
@pytest.mark.system
@pytest.mark.timeout(300)  # two processes that import all there is, on a busy machine
def test_engine(tmp_path: Path) -> None:
    """Scripts that watch the cost would stumble, or be told of another voice."""
    words = ["--seconds", "3", "--set", "session.ring_s=60"]
    content = measured("engine", *words, out=tmp_path / "bench")
    stages = {"features", "inference", "vocoder", "buffer"}
    assert set(content["stages_ms"]) == stages
    assert set(content["unpaced_stages_ms"]) == {*stages, "compute"}
    for spread in (content["compute_ms"], *content["stages_ms"].values()):
        assert 0 <= spread["p50"] <= spread["p95"] <= spread["p99"] <= spread["max"]
    assert {"cpu_share", "realtime_factor", "mlsa_speedup"} <= set(content)
    assert set(content["memory_mb"]) == {"peak", "growth"}
    assert content["memory_mb"]["peak"] > 50
    assert set(content["figures"]) == {
        *("compute_p50_ms", "compute_p99_ms", "cpu_percent", "realtime_factor", "mlsa_speedup"),
        *("differing_samples", "underruns", "peak_rss_mb", "rss_growth_mb"),
    }
    assert content["figures"]["differing_samples"]["value"] == 0
    assert content["seconds"] == pytest.approx(3.0)


def test_both_filters_give_the_same_speech() -> None:
    """A filter can be fast by doing something else."""
    filtering = compare_filters(lambda *_: None, frames=100)
    assert filtering.difference < 1e-9
    assert filtering.frames == 100


CLICKS_S, PATH_S, BLOCK = 9.0, 0.0437, 160


def test_natural_speech_at_a_card_is_as_late_as_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorder, clock and estimator together would be off, and nobody could tell."""
    (recording,) = list(Selection(RecordingsSettings(subset="test.audible")).recordings)[:1]
    assert recording.audio is not None
    clock = VirtualClock(100.0)
    stepped = SimpleNamespace(perf_counter=clock.now_s)
    monkeypatch.setattr(clicks, "time", stepped)
    buffer, played = ClickBuffer(RATE_HZ), np.zeros(round(CLICKS_S * RATE_HZ), np.float32)
    start_s = clock.now_s() + 3.0  # of the card, long after the recorder
    for number, block in enumerate(played.reshape(-1, BLOCK)):
        clock.sleep_until(start_s + number * BLOCK / RATE_HZ)
        buffer.render(block)
    silence = [np.zeros(round(length_s * RATE_HZ)) for length_s in (3.0 + PATH_S, 1.0)]
    heard = Line(np.concatenate((silence[0], played, recording.audio, silence[1])))
    monkeypatch.setattr(virtual_card, "time", SimpleNamespace(perf_counter=heard.clock.now_s))
    monkeypatch.setattr(virtual_card, "os", SimpleNamespace(read=heard.read))
    recorder = Recorder(heard)  # type: ignore[arg-type]
    recorder._thread.join()
    recorder.close()
    path = card_path(buffer.clicks_s, recorder.heard())
    speech = Spoken("one", recording.audio, start_s + CLICKS_S)
    lag = measure_lag([speech], recorder.heard())
    assert path.median_ms == pytest.approx(1000 * PATH_S, abs=0.1)
    assert path.lost == 0
    assert lag.correlation > 0.99
    assert lag.lag_ms == pytest.approx(path.median_ms, abs=0.1)


class Line:
    """A recording process whose samples come in pieces of 5 ms, some of them late."""

    def __init__(self, audio: Any) -> None:
        self.clock = VirtualClock(100.0)
        self.stdout = self
        self._pcm = np.rint(audio * 32767).astype("<i2").tobytes()
        self._at = 0
        self._late_s = np.random.default_rng(0).exponential(0.001, len(self._pcm)).clip(0, 0.004)

    def fileno(self) -> int:
        return -1

    def read(self, _descriptor: int, _most: int) -> bytes:
        piece = self._pcm[self._at : self._at + 160]
        self._at += len(piece)
        late_s = self._late_s[self._at // 160]
        self.clock.sleep_until(100.0 + self._at / 2 / RATE_HZ + late_s)
        return piece

    def terminate(self) -> None: ...

    def wait(self) -> None: ...

    def close(self) -> None: ...


@needs_card
@pytest.mark.realtime
@pytest.mark.system
def test_acoustic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A latency that nobody measured at the loudspeaker is a wish."""
    monkeypatch.setattr(clicks, "_PLAYED_S", 5.0)
    content = measured(
        "acoustic",
        *("--seconds", "5", "--set", "bench.acoustic.bursts=1"),
        out=tmp_path / "bench",
    )
    assert {"reaction_ms", "reactions_ms", "path_ms", "recorder_unsteady_ms"} <= set(content)
    assert content["card_path_ms"] is not None  # clicks were heard
    assert content["net_lag_without_card_ms"] == pytest.approx(
        content["net_lag_ms"] - content["card_path_ms"]
    )
    assert content["underruns"] is not None
    assert any("null sink" in note for note in content["notes"])


@needs_card
@pytest.mark.realtime
@pytest.mark.system
@pytest.mark.slow
def test_soak(tmp_path: Path) -> None:
    """A voice that falls behind, stays away or clicks is one that nobody uses twice."""
    words = ["--seconds", "20", "--set", "bench.soak.kills=1", "--set", "session.ring_s=60"]
    content = measured("soak", *words, out=tmp_path / "bench")
    figures = content["figures"]
    assert {
        *("underruns", "dropped_samples", "lost_samples", "lag_change_ms", "rss_growth_mb"),
        *("outages", "outages_not_heard", "outage_longest_s", "outage_miscounted"),
        *("outage_step_ratio", "outage_edge_ratio"),
    } <= set(figures)
    assert figures["lost_samples"]["value"] == 0
    assert figures["outages"]["good"]
    assert figures["outage_miscounted"]["value"] == 0
