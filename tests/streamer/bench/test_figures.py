"""Figures, and what cannot be measured."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from drivers.source import Chunk
from drivers.varioport.profile import load_profile
from models.bundle import Bundle, packaged_bundle
from streamer.bench import device, drivers, ways
from streamer.bench.figure import Figure
from streamer.cli import cli


def test_a_figure_is_good_up_to_its_bound() -> None:
    """A promise that is not kept must not look kept."""
    assert Figure("a", 1.0, "", 1.0, "").good
    assert Figure("a", 99.0, "", None, "").good
    assert not Figure("a", 1.1, "", 1.0, "").good
    assert not Figure("a", math.inf, "", 1.0, "").good
    assert not Figure("a", math.nan, "", 1.0, "").good
    assert Figure("a", 3.0, "", None, "", least=3.0).good
    assert not Figure("a", 2.9, "", None, "", least=3.0).good
    assert not Figure("a", math.nan, "", None, "", least=3.0).good


def test_what_cannot_be_measured_is_null_and_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that reads the figures would stumble over them when it matters."""
    figures = [Figure("lost", math.inf, "s", 2.0, "never came back")]
    monkeypatch.setattr(drivers, "drivers", lambda *_: figures)
    result = CliRunner().invoke(cli, ["bench", "drivers", "--json"])
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["figures"]["lost"] == {
        "name": "lost",
        "value": None,
        "unit": "s",
        "most": 2.0,
        "about": "never came back",
        "least": None,
        "good": False,
    }
    result = CliRunner().invoke(cli, ["bench", "drivers"])
    assert result.exit_code == 1
    assert "missed" in result.stdout


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda came: came, 0.0),
        (lambda came: came[:500], math.inf),
        (lambda came: came * 2, math.inf),
    ],
)
def test_features_of_other_samples_differ(change: Any, difference: float) -> None:
    """A way in that alters or loses EMG would be called the same."""
    sent = np.random.default_rng(0).normal(0, 50, (900, 6)).astype(np.float32)
    bundle = Bundle.open(packaged_bundle())
    assert ways._difference(bundle, [change(sent[100:])], sent, 600)[0] == difference


def test_one_altered_sample_is_noticed() -> None:
    """The features are compared, not only where they begin."""
    sent = np.random.default_rng(0).normal(0, 50, (900, 6)).astype(np.float32)
    came = sent.copy()
    came[400] += 1
    bundle = Bundle.open(packaged_bundle())
    assert 0 < ways._difference(bundle, [came], sent, 600)[0] < math.inf


@pytest.mark.parametrize("fault", ["stale", "miscounted"])
def test_a_wrong_return_shows(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples from before the cable was pulled must not pass for new ones."""
    emg_uv = np.random.default_rng(0).normal(0, 50, (3000, 6)).astype(np.float32)
    after = slice(50, 100) if fault == "stale" else slice(700, 750)
    chunks = [
        Chunk(emg_uv[:100], 0, 0, 0.1, 0.1),
        Chunk(emg_uv[after], 1, 600, 1.2, 1.2, gap_before=600 if fault == "stale" else 590),
    ]

    @contextmanager
    def scripted(*_: Any) -> Iterator[Any]:
        class Source:
            def read(self, _timeout_s: float) -> Chunk:
                return chunks.pop(0)

        yield Source()

    monkeypatch.setattr(device, "device", scripted)
    figures = device.replug(load_profile("framed"), emg_uv, 1, lambda *_: None)
    assert [figure.name for figure in figures if not figure.good] == ["replug_miscounted"]
