"""The end of a session whose libraries hang."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.source import Chunk
from models.bundle import Bundle
from streamer.audio.output import PacedOutput
from streamer.audio.settings import AudioSettings
from streamer.engine.closing import Closing
from streamer.results.outputs import RunDirectory
from streamer.session import Session


@pytest.fixture
def frozen() -> Iterator[Callable[[], None]]:
    """A call that does not return before the test's end."""
    thawed = threading.Event()
    yield lambda: (thawed.wait(60), None)[1]
    thawed.set()


@pytest.mark.parametrize("what", ["loudspeaker", "source"])
def test_a_session_is_concluded_before_anything_is_closed(
    what: str,
    tmp_path: Path,
    toy_bundle: Bundle,
    emg: Callable[..., NDArray[np.float32]],
    chunks_of: Callable[..., list[Chunk]],
    script_source: Any,
    frozen: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A frozen sound server would cost the summary, the latency and the picture."""
    directory = RunDirectory.create(tmp_path / "run")
    there: list[bool] = []

    def stop(*_: object) -> None:
        there.append(directory.summary.exists() and directory.latency.exists())
        frozen()

    source = script_source(chunks_of(emg(0.3), (60,)))
    monkeypatch.setattr(
        *((PacedOutput, "stop") if what == "loudspeaker" else (source, "close")), stop
    )
    settings = AudioSettings(enabled=False)
    session = Session(source, toy_bundle, directory, audio=settings, closing=Closing(0.2))
    summary = session.run()
    assert there == [True]
    (line,) = summary.failures
    name = "files only" if what == "loudspeaker" else "the source"
    assert line == f"{name} does not close: it is left to itself"
    assert line in summary.problems
    assert json.loads(directory.summary.read_text())["failures"] == [line]
    assert session.closing.hanging == [name]
