"""Standard output and error that are closed, full, gone, or in another encoding."""

import ast
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from streamer import cli
from streamer.cli import standard_streams
from streamer.cli.options import print_json, say
from streamer.cli.standard_streams import Output

ROOT = Path(__file__).resolve().parents[2]


class Failing(io.RawIOBase):
    """A terminal or a disk that takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def text_stream(raw: io.RawIOBase, encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding)


def test_an_output_that_fails_ends_nothing() -> None:
    """A session of an hour would end with the pipe that its summary was to go to."""
    output = Output(Failing())
    with io.TextIOWrapper(io.BufferedWriter(output)) as stream:
        for _ in range(3):
            print("line", file=stream, flush=True)
    assert output.failure is not None
    assert output.failure.errno == errno.ENOSPC


@pytest.mark.parametrize(("code", "expected"), [(0, 1), (None, 1), (2, 2), (130, 130)])
def test_what_was_not_printed_is_an_error_in_the_end(
    code: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script would take an empty answer for the result."""
    errors = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", text_stream(Failing()))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(errors, "utf-8"))

    def command(prog_name: str) -> None:
        click.echo("result")
        sys.exit(code)

    monkeypatch.setattr(cli.cli, "main", command)
    with pytest.raises(SystemExit) as end:
        cli.main()
    sys.stderr.flush()
    assert end.value.code == expected
    lines = errors.getvalue().decode().splitlines()
    said = ["streamer: error: standard output cannot be written: No space left on device"]
    assert lines == (said if expected == 1 else [])


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ascii", "utf-8"])
def test_a_terminal_of_another_encoding_gets_other_letters(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Amp №1`, and a file name that is no UTF-8, would end in a traceback."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding))
    standard_streams.guard_streams()
    say("Amp №1 \udcff")
    print_json({"name": "№"})
    sys.stdout.write("table of rich: №\n")
    sys.stdout.flush()
    expected = "Amp №1 \ufffd" if encoding == "utf-8" else "Amp ?1 ?"
    printed = raw.getvalue().decode(encoding).splitlines()
    assert printed[0] == expected
    assert json.loads("".join(printed[1:-1])) == {"name": "№"}
    assert printed[-1] == f"table of rich: {'№' if encoding == 'utf-8' else '?'}"


@pytest.mark.system
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
@pytest.mark.parametrize("words", ["--help", "profile show framed --json"])
@pytest.mark.parametrize("redirection", [">&-", "> /dev/full", "| true"])
def test_a_command_without_standard_output(redirection: str, words: str) -> None:
    """It would end in a traceback, or in an exit code of 0 and nothing printed."""
    command = f"{sys.executable} -m streamer {words} {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("streamer: error: standard output cannot be written: ")


@pytest.mark.parametrize(
    "module", sorted((ROOT / "streamer/cli").glob("*.py")), ids=lambda p: p.stem
)
def test_all_that_is_printed_goes_one_way(module: Path) -> None:
    """Escape sequences and markup in names of others would reach the terminal."""
    calls = [one for one in ast.walk(ast.parse(module.read_text())) if isinstance(one, ast.Call)]
    for call in calls:
        name = ast.unparse(call.func)
        if module.stem not in ("options", "group", "bench"):  # these print help, JSON and lines
            assert name not in ("click.echo", "click.secho", "print"), "say() and note() are there"
        if name == "Console":
            given = {one.arg: ast.unparse(one.value) for one in call.keywords}
            assert given.get("markup") == "False"
