"""``streamer demo``: everything at once, without a device."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from drivers.errors import SourceError, StreamerError
from streamer.cli.options import configured, note, running

_STREAM = "streamer-demo"
_FIND_S = 30.0  # the publisher starts cold


@click.command()
@running
@configured
def demo(
    bundle: Path | None,
    out: Path | None,
    record: bool,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Run the whole chain, without a device, in half a minute.

    A process of its own publishes the simulated recording in the package over the Lab
    Streaming Layer, on this machine only; a live session receives it and turns it into
    speech with the bundle in the package. Nobody spoke here: voices and EMG are simulated.

    \b
    Example:
      streamer demo --out runs/demo
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.lsl import LslSource, use_loopback  # fails where there is no liblsl
    from streamer.cli.run import Run, run
    from streamer.config import load_config
    from streamer.recordings import RecordingsSettings, Selection, packaged_recording

    config = load_config(
        config_file,
        assignments,
        {
            "bundle": bundle,
            "session.record": record or None,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    recordings = RecordingsSettings(utterances=programme(packaged_recording()))
    natural = Selection(recordings).natural()
    use_loopback()
    note("simulated speakers over LSL on this machine, for some 25 s")
    source = LslSource(_STREAM, timeout_s=_FIND_S)
    with publisher(recordings.utterances) as process:
        try:
            return run(Run("demo", source, natural=natural), config, out, json_=json_)
        except SourceError as error:
            if process.poll() is None:
                raise
            _, said = process.communicate()
            raise StreamerError("publisher of the demo", value=said) from error


@contextmanager
def publisher(utterances: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Publish utterances of the recording in the package from a process of its own.

    Parameters
    ----------
    utterances : sequence of str
        Which ones, in this order.

    Yields
    ------
    Popen
        The process; it is ended with the context.
    """
    chosen = [word for name in utterances for word in ("--utterance", name)]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "simulate", "--name", _STREAM, "--once", *chosen],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the session alone
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def programme(path: Path) -> tuple[str, ...]:
    """Choose one test utterance of every session in every mode: some 25 s of the package's.

    Parameters
    ----------
    path : Path
        Corpus directory.

    Returns
    -------
    tuple of str
        Names of the utterances.
    """
    from drivers.recordings.emg_uka import EmgUkaCorpus

    corpus = EmgUkaCorpus(path)
    return tuple(
        corpus.utterances(session, subset)[0]
        for session in corpus.sessions
        for subset in corpus.subsets(session)
        if subset.startswith("test.")
    )
