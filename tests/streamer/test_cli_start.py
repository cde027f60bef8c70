"""The command answers at once: what is heavy is loaded by what needs it alone."""

import importlib.util
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from streamer import __version__
from streamer.cli import cli
from streamer.cli.ending import ending_properly

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numba", "numpy", "onnxruntime", "pydantic", "pylsl", "rich", "scipy", "sounddevice"}

SUBCOMMANDS = [*cli.commands, *(f"bench {name}" for name in cli.commands["bench"].commands)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", ["", "--version", "--help", "no-such-command"])
def test_the_command_itself_loads_nothing_heavy(line: str) -> None:
    """Who asks for the version, or for help, would wait for seconds."""
    assert loaded_by(line) == set()


def test_help_of_a_subcommand_loads_nothing_heavy() -> None:
    """Whoever looks up an option would wait for what the option is of."""
    assert "bench soak" in SUBCOMMANDS
    assert loaded_by(*(f"{subcommand} --help" for subcommand in SUBCOMMANDS)) == set()


def test_what_is_written_twice_for_speed_is_the_same() -> None:
    """Help would promise what the command does not know: it must not load it to say so."""
    from drivers.varioport.emulator.pty import DEFAULT_LINK
    from streamer.cli.simulating import _PRESETS
    from streamer.sources import ALLOWED

    options = {option.name: option for option in cli.commands["simulate"].params}
    assert list(options["preset"].type.choices) == list(_PRESETS)  # type: ignore[attr-defined]
    assert str(DEFAULT_LINK) in options["link"].help  # type: ignore[attr-defined]
    (source,) = (one for one in cli.commands["record"].params if one.name == "source")
    assert ALLOWED in source.help  # type: ignore[attr-defined]


def loaded_by(*lines: str) -> set[str]:
    """Run command lines one after another in a process of its own."""
    code = (
        "import sys\n"
        "from streamer.__main__ import main\n"
        f"for line in {lines!r}:\n"
        "    sys.argv = ['streamer', *line.split()]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit:\n"
        "        pass\n"
        f"print('loaded', *({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    answers = done.stdout.count("Usage: ") + done.stdout.count(f"streamer {__version__}")
    assert answers >= len(lines) or lines == ("no-such-command",), done.stdout + done.stderr
    first, *names = done.stdout.splitlines()[-1].split()
    assert first == "loaded", done.stderr
    return set(names)


def test_ctrl_c_while_a_library_loads_waits_for_it(tmp_path: Path) -> None:
    """The library would take the interrupt for an error of its own: "initialization failed"."""
    stop = threading.Event()
    (tmp_path / "loading_library.py").write_text("import signal; signal.raise_signal(2)\n")
    spec = importlib.util.spec_from_file_location("loading", tmp_path / "loading_library.py")
    assert spec is not None
    assert spec.loader is not None
    with ending_properly(stop, lambda: True):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        assert stop.is_set()


def test_ctrl_c_while_a_device_is_looked_for_ends_at_once() -> None:
    """There is nothing to end properly yet, and the search may last for seconds."""
    before = signal.getsignal(signal.SIGINT)
    for waiting in (True, False):
        stop = threading.Event()
        with ending_properly(stop, lambda waiting=waiting: waiting):
            first = signal.getsignal(signal.SIGINT)
            assert callable(first)
            with pytest.raises(KeyboardInterrupt) if waiting else nullcontext():
                first(signal.SIGINT, None)
        assert stop.is_set()
        assert signal.getsignal(signal.SIGINT) == before
