"""The command line itself: help, errors and exit codes."""

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drivers.errors import StreamerError
from streamer.cli import cli
from streamer.cli.group import OneLineErrors

COMMANDS = ["demo", "replay", "live", "record", "simulate", "info", "convert", "capture"]
COMMANDS += ["profile", "train", "evaluate", "devices", "bench"]
GROUPS = {"profile": ["guess", "show"], "bench": ["drivers", "engine", "acoustic", "soak"]}
UNCONFIGURED = ["info", "profile"]


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def assert_one_line(result: Result, code: int) -> str:
    """One line on standard error, nothing on standard output; return it."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("streamer: error: ")
    return line


def test_without_a_command_help_is_shown() -> None:
    """Somebody who just installed would see an error first."""
    result = call()
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines()[1:]]
    assert listed == COMMANDS


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_shows_its_help(group: str) -> None:
    """All of its help in one line, as an error, could not be read."""
    result = call(group)
    assert result.exit_code == 0
    assert all(f"  {command} " in result.stdout for command in GROUPS[group])
    assert result.stderr == ""


@pytest.mark.parametrize(
    "command",
    [f"{command} {sub}".strip() for command in COMMANDS for sub in GROUPS.get(command, [""])],
)
def test_help_has_an_example(command: str) -> None:
    """Options alone do not tell how to begin."""
    result = call(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"  streamer {command}" in result.stdout.partition("Example")[2]
    if command.split()[0] not in UNCONFIGURED:
        assert "--config" in result.stdout
        assert "--set" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay", "--sped", "2"], "No such option"),
        (["reply"], "No such command 'reply'"),
        (["train", "somewhere"], "Missing option '--out'"),
        (["evaluate", "somewhere"], "Missing option '--out'"),
        (["evaluate", "c", "--out", "e", "--workers", "0"], "'evaluate.workers': got '0'"),
        (["evaluate", "c", "--out", "e", "--device", "tpu"], "'evaluate.device': got 'tpu'"),
        (["train", "somewhere", "--out", "b"], "Missing option '--session'"),
        (["simulate", "--preset", "huge"], "'huge' is not one of 'small', 'training'"),
        (["replay", "--set", "audio.bufer_ms=3"], "did you mean 'audio.buffer_ms'?"),
        (["replay", "--speed", "fast"], "'replay.speed': got 'fast'"),
        (["live", "--duration", "-1"], "'session.duration_s': got '-1'"),
        (["record", "a.xdf", "--duration", "inf"], "'session.duration_s': got 'inf'"),
        (["capture", "p", "a.capture", "--duration", "nan"], "'session.duration_s': got 'nan'"),
        (["capture", "p", "a.capture", "--baud", "0"], "'--baud': 0"),
        (
            ["simulate", "--fault", "lost-bytes=0.1"],
            "--fault: got lost-bytes=0.1; allowed: an emul",
        ),
        (["bench", "drivers", "--set", "bench.drivers.lossy_s=.inf"], "bench.drivers.lossy_s"),
        (["replay", "--config", "missing.yaml"], "configuration missing.yaml"),
    ],
)
def test_wrong_command_line(words: list[str], said: str) -> None:
    """A script could not tell its own mistake from a failing device."""
    assert said in assert_one_line(call(*words), 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["live"], "--source: got none; allowed: varioport:PORT, lsl:NAME"),
        (["live", "--source", "lsl:"], "got lsl:; allowed"),
        (["live", "--source", "varioport:/dev/nowhere", "--no-sound"], "/dev/nowhere"),
        (["record", "a.edf", "--source", "simulator"], "a.edf: got .edf; allowed: .xdf"),
        (["capture", "/dev/nowhere", "a.capture"], "serial port /dev/nowhere does not exist"),
        (["profile", "guess", "nowhere"], "capture nowhere"),
        (["profile", "show", "nowhere"], "profile nowhere"),
        (["info", "nowhere"], "recording nowhere"),
        (["convert", "nowhere", "a.xdf"], "recording nowhere"),
        (["simulate", "--as", "varioport", "--fault", "fog=1"], "fault: got 'fog=1'"),
        (["simulate", "--as", "varioport", "--port", "/nowhere/p"], "/nowhere/p"),
        (["replay", "nowhere"], "recording nowhere: got No such file or directory"),
        (["train", "nowhere", "--session", "002-001", "--out", "b"], "corpus directory nowhere"),
        (["evaluate", "nowhere", "--out", "e"], "corpus directory nowhere"),
        (
            ["evaluate", "c", "--out", "e", "--experiment", "lda"],
            "experiment: got lda; allowed: al",
        ),
    ],
)
def test_input_that_cannot_be_used(words: list[str], said: str) -> None:
    """A mistake in a path would end in a traceback."""
    if words[0] in ("train", "evaluate"):
        pytest.importorskip("torch", reason="training needs the extra [train]")
    assert said in assert_one_line(call(*words), 1)


@pytest.mark.parametrize("error", [StreamerError("two\nlines"), StreamerError("one")])
def test_any_error_of_ours_is_one_line(error: StreamerError) -> None:
    """Whatever a driver says would break the scripts that read it."""

    @OneLineErrors("streamer").command()
    def failing() -> None:
        raise error

    group = OneLineErrors("streamer", commands=[failing])
    assert_one_line(CliRunner().invoke(group, ["failing"]), 1)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_the_system_refuses_is_one_line(number: int) -> None:
    """32 open files, or a full disk, would end in a traceback, whichever command meets it."""

    @OneLineErrors("streamer").command()
    def failing() -> None:
        raise OSError(number, os.strerror(number), "a\nb")

    group = OneLineErrors("streamer", commands=[failing])
    assert os.strerror(number) in assert_one_line(CliRunner().invoke(group, ["failing"]), 1)


def test_error_in_the_program_shows_where() -> None:
    """A bug could not be found from a user's report."""

    @OneLineErrors("streamer").command()
    def failing() -> None:
        raise ZeroDivisionError

    group = OneLineErrors("streamer", commands=[failing])
    assert isinstance(CliRunner().invoke(group, ["failing"]).exception, ZeroDivisionError)


def test_training_without_torch_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who installed without the extra would not know what is missing."""
    import sys

    for name in [name for name in sys.modules if name.startswith("models.training.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    result = call("train", str(tmp_path), "--session", "101-001", "--out", str(tmp_path / "b"))
    assert "'.[train]'" in assert_one_line(result, 1)
