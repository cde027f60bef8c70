"""Recordings of every shape, and what a round trip has to keep of them."""

from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel, Marker

RATES_HZ = [600.0, 1000.0, 2048.0, 256.5, 599.987123, 2000 / 3]
# a text of numpy cannot end with a NUL
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
NAME = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("C", "Z")),
    min_size=1,
    max_size=12,
)
LONG = "Gr\xfc\xdf Gott, \u4f60\u597d \\ \x14 \n " * 40
TEXTS = "name rate_hz channels transcript mode speaker session split recorded_at".split()


@st.composite
def _recording(draw: DrawFn) -> Recording:
    channels, rows = draw(st.integers(1, 4)), draw(st.integers(1, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    emg_uv = rng.normal(draw(st.sampled_from([0.0, -800.0])), 90.0, (rows, channels))
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.integers(0, rows - 1))
        emg_uv[first : first + draw(st.integers(1, 40))] = np.nan
    labels = draw(st.lists(NAME, min_size=channels, max_size=channels, unique=True))
    units = [draw(st.sampled_from(["uV", "uV", "degC"])) for _ in labels]
    indices = sorted(draw(st.lists(st.integers(0, rows - 1), max_size=4)))
    markers = sorted((index, draw(TEXT)) for index in indices)
    return Recording(
        name=draw(NAME),
        emg_uv=emg_uv.astype(np.float32),
        rate_hz=draw(st.sampled_from(RATES_HZ)),
        channels=tuple(
            Channel(label, unit, "EMG" if unit == "uV" else "AUX")
            for label, unit in zip(labels, units, strict=True)
        ),
        lead_in_uv=draw(
            st.sampled_from([None, rng.normal(0, 90, (7, channels)).astype(np.float32)])
        ),
        markers=tuple(Marker(index, label) for index, label in markers),
        audio=rng.uniform(-1, 1, 500).astype(np.float32),
        audio_rate_hz=16000.0,
        transcript=draw(st.none() | TEXT | st.just(LONG)),
        mode=draw(st.sampled_from([None, "audible", "whispered", "silent"])),
        speaker=draw(st.none() | TEXT),
        session=draw(st.none() | NAME),
        split=draw(st.sampled_from([None, "train", "test"])),
        phones=draw(st.sampled_from([(), (Segment(0.0, 0.05, "SIL"), Segment(0.05, 0.11, "AH"))])),
        recorded_at=draw(
            st.none() | st.datetimes() | st.just(datetime(2026, 11, 22, 15, 30, 0, 250000, UTC))
        ),
    )


@pytest.fixture(scope="session")
def any_recording() -> SearchStrategy[Recording]:
    """Recordings of every shape: lost samples, odd rates, texts in any script."""
    return _recording()


@pytest.fixture(scope="session")
def assert_same_texts() -> Callable[[Recording, Recording], None]:
    """Compare all but the samples of EMG, lead-in and audio."""

    def check(read: Recording, written: Recording) -> None:
        for key in TEXTS:
            assert getattr(read, key) == getattr(written, key), key
        # those of one sample have no order
        assert sorted(map(astuple, read.markers)) == sorted(map(astuple, written.markers))
        assert [p.label for p in read.phones] == [p.label for p in written.phones]
        for key in ("start_s", "end_s"):
            expected = [getattr(p, key) for p in written.phones]
            assert [getattr(p, key) for p in read.phones] == pytest.approx(expected, abs=1e-9)
        assert read.emg_uv.dtype == np.float32

    return check


@pytest.fixture(scope="session")
def sample_recording() -> Recording:
    """A recording of two seconds with everything in it."""
    rng = np.random.default_rng(7)
    counts = rng.integers(-20000, 20000, (1201, 3))
    emg_uv = (counts * np.float32(0.033)).astype(np.float32)
    emg_uv[300:310] = np.nan
    return Recording(
        name="002-001-0100",
        emg_uv=emg_uv,
        rate_hz=600.0,
        channels=tuple(Channel(f"EMG{n + 1}") for n in range(3)),
        markers=(Marker(0, "start"), Marker(700, "Gr\xfc\xdf")),
        audio=rng.uniform(-1, 1, 32000).astype(np.float32),
        audio_rate_hz=16000.0,
        transcript="HELLO WORLD",
        mode="silent",
        speaker="002",
        session="002-001",
        split="test",
        phones=(Segment(0.0, 0.5, "SIL"),),
        recorded_at=datetime(2026, 11, 22, 15, 30),
    )
