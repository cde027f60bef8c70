"""The check of what has a bound in time; that a bound is kept, no test asserts."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from drivers.errors import SourceError
from streamer.bench import check, device, serial_port, streams
from streamer.bench.figure import Figure, Progress, Report
from streamer.cli import cli
from streamer.config import Config

BOUND = {
    *("start_s", "wake_late_p99_ms", "decode_framed_cpu_percent", "decode_multiplex_cpu_percent"),
    *("serial_reader_cpu_percent", "replay_off_ms"),
    *("replug_missed", "replug_resumed_s", "replug_wrong", "replug_miscounted"),
    *("lsl_delay_ms", "lsl_return_s", "lsl_find_dead_s", "lsl_read_over_s"),
    "engine",
}


def silent(_what: str, _done: int, _all: int) -> None: ...


@pytest.mark.realtime
@pytest.mark.system
@pytest.mark.timeout(600)  # it waits for minutes before it says that something never came
def test_all_that_has_a_bound_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody measures any more is slow a year later."""

    def engine(config: Config, _path: Path, _progress: Progress) -> Report:
        # Itself it is measured in test_sessions.
        assert config.bench.engine.seconds == 2.0
        return Report([Figure("engine", 1.0, "", 1.0, "")], {"seconds": 2.0}, ["of the engine"])

    monkeypatch.setattr(check, "engine", engine)
    short = {"_STARTS": 1, "_WAKES": 10, "_DECODED_S": 0.5, "_WRITES": 50, "_REPLAYED_S": 0.3}
    short |= {"_STREAMED_S": 0.5, "_RETURNS": 1, "_PACED_S": 2.0}
    for name, value in short.items():
        monkeypatch.setattr(check, name, value)
    monkeypatch.setattr(device, "_PLUGGED_S", 0.5)
    monkeypatch.setattr(device, "_OUTAGE_S", 0.5)
    out = tmp_path / "check"
    result = CliRunner().invoke(cli, ["bench", "--check", "--out", str(out), "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert result.exit_code in (0, 1), result.output
    content = json.loads(result.stdout)
    assert content == json.loads((out / "bench.json").read_text())
    assert content["good"] is (result.exit_code == 0)
    assert "of the engine" in content["notes"]
    assert not [note for note in content["notes"] if "failed" in note or "none at all" in note]
    figures = content["figures"]
    assert set(figures) == {*BOUND, "replay_late_p99_ms", "replay_late_max_ms"}
    for name, figure in figures.items():
        assert figure["value"] is None or math.isfinite(figure["value"])
        assert (figure["most"] is not None or figure["least"] is not None) is (name in BOUND)


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (1.1, 1), (math.inf, 1)])
def test_a_missed_bound_is_the_exit_code(
    value: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI would print a miss and go on as if nothing were."""
    report = Report([Figure("one", value, "s", 1.0, "something")])
    monkeypatch.setattr(check, "check", lambda *_: report)
    result = CliRunner().invoke(cli, ["bench", "--check", "--out", str(tmp_path / "check")])
    assert result.exit_code == code, result.output
    assert ("missed" in result.stdout) is bool(code)


@pytest.mark.parametrize(
    ("answers", "values", "note"),
    [
        ([{"missing": "no liblsl"}], [], "streams are not measured: no liblsl"),
        ([], [math.inf] * 4, "none at all: lsl_delay_ms, lsl_return_s, lsl_find_dead_s, lsl_read"),
        (
            [
                {"name": "lsl_delay_ms", "value": 0.3},
                {"name": "lsl_return_s", "error": "no such stream"},
                {"name": "lsl_find_dead_s", "value": 0.1},
                {"name": "lsl_read_over_s", "value": math.inf},
            ],
            [0.3, math.inf, 0.1, math.inf],
            "lsl_return_s failed: no such stream",
        ),
    ],
)
def test_streams_that_fail_are_missed_and_end_nothing(
    answers: list[dict[str, Any]],
    values: list[float],
    note: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One stream that does not come back would take all other figures with it."""

    def answered(_seconds: float, _returns: int) -> Iterator[dict[str, Any]]:
        return iter(json.loads(json.dumps(answers)))

    monkeypatch.setattr(streams, "_answers", answered)
    figures, (line,) = streams.streams(1.0, 1, silent)
    assert [figure.value for figure in figures] == values
    assert note in line


def test_a_device_that_fails_never_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not even start, no figure would be printed at all."""

    def fail(*_: object) -> list[Figure]:
        raise SourceError("emulated device", value="no answer")

    monkeypatch.setattr(check, "replug", fail)
    (figure,), (note,) = check._pull(np.zeros((0, 6), np.float32), silent)
    assert (figure.name, figure.value, figure.good) == ("replug_resumed_s", math.inf, False)
    assert "emulated device: got no answer" in note


class Lossy:
    """A port that loses every byte, or does not open."""

    opens = True

    def __init__(self, _port: str, _baud_rate: int) -> None: ...

    def open(self) -> None:
        if not self.opens:
            raise SourceError("serial port")

    def read(self, _timeout_s: float) -> None: ...

    def close(self) -> None: ...


@pytest.mark.system
@pytest.mark.parametrize("opens", [True, False])
def test_a_port_that_loses_bytes_is_not_cheap(opens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads nothing takes no time for it."""
    monkeypatch.setattr(serial_port, "SerialTransport", Lossy)
    monkeypatch.setattr(Lossy, "opens", opens)
    figure = serial_port.reading(3, silent)
    assert figure.value == math.inf
    assert not figure.good
