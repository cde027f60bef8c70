"""Markers become stretches, and each a WAV."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from streamer.results.markers import cut_stretches, find_stretches
from streamer.results.outputs import RunDirectory
from streamer.results.summary import Event, Stretch


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("utterance a", "utterance b"), [("a", 0.0, 1.0), ("b", 1.0, 9.0)]),
        (("utterance a", "end", "utterance b"), [("a", 0.0, 1.0), ("b", 2.0, 9.0)]),
        (("utterance a", "utterance end"), [("a", 0.0, 1.0)]),
        (("utterance the end", "x"), [("the end", 0.0, 9.0)]),
        (("begin a", "end a"), [("a", 0.0, 1.0)]),
        (("start_a", "stop_a"), [("a", 0.0, 1.0)]),
        (("a/Start", "A", "a/End"), [("a", 0.0, 2.0)]),
        (("begin a", "begin b", "end a", "end b"), [("a", 0.0, 2.0), ("b", 1.0, 3.0)]),
        (("begin a", "begin b", "end"), [("a", 0.0, 2.0), ("b", 1.0, 2.0)]),
        (("begin a", "begin a", "end a"), [("a", 1.0, 2.0)]),
        (("begin a",), []),
        (("end a", "end", "begin", "S  1", "", "weekend", "beginner"), []),
    ],
)
def test_pairs_of_markers_are_stretches(
    labels: tuple[str, ...], expected: list[tuple[str, float, float]]
) -> None:
    """Who presents sentences marks where each begins and ends, and wants each voice alone."""
    markers = [Event(label, float(time), 0) for time, label in enumerate(labels)]
    assert find_stretches(markers, {0: 9.0}) == expected


def test_nothing_reaches_into_the_next_epoch() -> None:
    """A stretch would hold a loss of the source, and the voice of somebody else."""
    markers = [Event("utterance a", 1.0, 0), Event("begin b", 2.0, 0), Event("end b", 4.0, 1)]
    assert find_stretches(markers, {0: 3.0, 1: 6.0}) == [("a", 1.0, 3.0)]


def test_each_stretch_is_a_wav(tmp_path: Path) -> None:
    """The voice of a sentence would have to be cut by hand."""
    directory = RunDirectory.create(tmp_path / "run")
    voice = np.arange(16000, dtype=np.int16)
    soundfile.write(directory.audio, voice, 16000)
    stretches, failures = cut_stretches(directory, [("a/b", 0.25, 0.5), ("a/b", 0.5, 2.0)])
    folder = directory.path / "utterances"
    assert failures == []
    assert stretches == [
        Stretch("a/b", str(folder / "a_b.wav"), 0.25, 0.25),
        Stretch("a/b", str(folder / "a_b-2.wav"), 0.5, 1.5),
    ]
    np.testing.assert_array_equal(
        soundfile.read(stretches[0].audio, dtype="int16")[0], voice[4000:8000]
    )
    np.testing.assert_array_equal(
        soundfile.read(stretches[1].audio, dtype="int16")[0], voice[8000:]
    )


def test_a_stretch_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would end the session in a traceback, without its summary."""
    directory = RunDirectory.create(tmp_path / "run")
    soundfile.write(directory.audio, np.zeros(16000), 16000)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(soundfile, "write", full)
    assert cut_stretches(directory, [("a", 0.0, 0.5)] * 3) == (
        [],
        ["utterances are incomplete, they cannot be written: No space left on device"],
    )
