"""A virtual sound card: a PulseAudio of its own with a null sink, and what it plays, recorded.

The null sink takes samples at the pace of the machine's clock, and its monitor gives what
a person would hear. It proves the chain up to a sound card's driver, and no sound card.
"""

import ctypes.util
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from drivers.errors import StreamerError
from streamer.bench.heard import Heard

RATE_HZ = 16000

_SINK = "speaker"
_START_S = 60.0
_RECORDER_LATENCY_MS = 5  # larger ones come with another offset
_ASOUNDRC = """</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class CardError(StreamerError):
    """There is no virtual sound card."""


def missing_packages() -> list[str]:
    """Return the Debian packages that a virtual sound card needs and that are not here."""
    plugin = any(Path("/usr").glob("lib*/**/alsa-lib/libasound_module_pcm_pulse.so"))
    there = {
        "pulseaudio": shutil.which("pulseaudio"),
        "pulseaudio-utils": shutil.which("parec") and shutil.which("pactl"),
        "libasound2-plugins": plugin,
        "libportaudio2": ctypes.util.find_library("portaudio"),
    }
    return [package for package, found in there.items() if not found]


class VirtualCard:
    """A sound card of no one, while its context lasts.

    Attributes
    ----------
    environment : dict of str to str
        For a process that shall play on it.

    Raises
    ------
    CardError
        Packages are missing, or PulseAudio does not start.
    """

    def __init__(self) -> None:
        missing = missing_packages()
        if missing:
            raise CardError(
                "virtual sound card",
                value=f"missing packages {', '.join(missing)}",
                way_out=f"on Debian and Ubuntu: apt-get install {' '.join(missing)}",
            )
        self.environment: dict[str, str] = {}
        self._daemon: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self._folder = tempfile.TemporaryDirectory(prefix="streamer-card-")
        folder = Path(self._folder.name)
        socket, log, asoundrc = folder / "socket", folder / "log", folder / "asoundrc"
        asoundrc.write_text(_ASOUNDRC)
        places = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"), str(folder))
        self._daemon = subprocess.Popen(
            [
                "pulseaudio",
                *("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false"),
                *("--disable-shm=true", f"--log-target=file:{log}"),
                *("-L", f"module-null-sink sink_name={_SINK} rate={RATE_HZ} channels=1"),
                *("-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"),
            ],
            env={**os.environ, **places, "PULSE_RUNTIME_PATH": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the bench alone
        )
        self.environment = {
            **os.environ,
            "PULSE_SERVER": f"unix:{socket}",
            "ALSA_CONFIG_PATH": str(asoundrc),
        }
        until_s = time.monotonic() + _START_S
        while not self._answers():
            if self._daemon.poll() is not None or time.monotonic() > until_s:
                said = log.read_text().strip().rpartition("\n")[2] if log.exists() else "nothing"
                self.__exit__(None, None, None)
                raise CardError("PulseAudio does not start", value=said)
            time.sleep(0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self._daemon.wait(5)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _answers(self) -> bool:
        done = subprocess.run(["pactl", "info"], env=self.environment, capture_output=True)
        return done.returncode == 0

    @contextmanager
    def recorded(self) -> Iterator["Recorder"]:
        """Record what is played.

        Yields
        ------
        Recorder
            It has everything once the context ends.
        """
        process = subprocess.Popen(
            [
                "parec",
                *("-d", f"{_SINK}.monitor", f"--latency-msec={_RECORDER_LATENCY_MS}", "--raw"),
                *(f"--rate={RATE_HZ}", "--channels=1", "--format=s16le"),
            ],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        recorder = Recorder(process)
        try:
            yield recorder
        finally:
            recorder.close()


class Recorder:
    """Reads a recording process, and keeps when what arrived.

    Parameters
    ----------
    process : Popen
        Gives 16-bit samples on its standard output.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._pieces: list[bytes] = []
        self._arrivals: list[tuple[int, float]] = []  # samples so far, and when
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop recording."""
        self._process.terminate()
        self._thread.join()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def heard(self) -> Heard:
        """Return all that was recorded, once it is closed.

        Raises
        ------
        StreamerError
            Nothing came, or too little.
        """
        pcm = np.frombuffer(b"".join(self._pieces)[: 2 * self._samples()], dtype="<i2")
        audio = (pcm / 32768).astype(np.float32)
        return Heard.from_arrivals(audio, RATE_HZ, self._arrivals)

    def _samples(self) -> int:
        return self._arrivals[-1][0] if self._arrivals else 0

    def _run(self) -> None:
        assert self._process.stdout is not None
        descriptor, total = self._process.stdout.fileno(), 0
        while piece := os.read(descriptor, 1 << 16):
            now_s = time.perf_counter()
            total += len(piece)
            self._pieces.append(piece)
            self._arrivals.append((total // 2, now_s))
