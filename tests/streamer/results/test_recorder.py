"""The recorder: the voice as long as its EMG, and files that survive trouble."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from drivers.source import Chunk
from models.bundle import Bundle
from streamer.audio.wav import WavFile
from streamer.engine.answers import Answer, Estimate
from streamer.engine.gate import GateSettings
from streamer.engine.pipeline import Pipeline, PipelineSettings
from streamer.engine.timeline import Output
from streamer.results.outputs import OutputError, RunDirectory
from streamer.results.recorder import Recorder

MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., NDArray[np.float32]]
MakeChunks = Callable[..., list[Chunk]]

ESTIMATE = Estimate(
    1.5, 0, "u", 0.5, 0.9, Answer("silent", "silent", {"silent": 0.8, "audible": 0.2}, 1.0), None
)


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run")


def outputs_of(bundle: Bundle, chunks: list[Chunk]) -> list[Output]:
    settings = PipelineSettings(gate=GateSettings(enabled=False))
    pipeline = Pipeline(bundle, settings, 0.1)
    outputs = [output for chunk in chunks for output in pipeline.process(chunk)]
    return outputs + list(pipeline.finish())


def read(path: Path) -> NDArray[np.float64]:
    audio: NDArray[np.float64] = soundfile.read(path)[0]
    return audio


@pytest.mark.parametrize("lead_ms", [0.0, 60.0])
def test_the_voice_is_as_long_as_the_emg_at_every_moment(
    directory: RunDirectory,
    bundle_with: MakeBundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    lead_ms: float,
) -> None:
    """Whoever reads the WAV beside the EMG finds both equally long, epoch by epoch."""
    recorder = Recorder(directory, 16000)
    chunks = chunks_of(emg(0.613)) + chunks_of(emg(0.5, seed=3), epoch=1)
    before = 0
    for output in outputs_of(bundle_with(lead_ms=lead_ms), chunks):
        recorder.take(output)
        recorder.flush()
        samples = len(read(directory.audio))
        assert samples <= before + output.audio_length
        if output.ended:
            before += output.audio_length
            assert samples == before
    recorder.close()
    assert before == round(368 * 80 / 3) + 8000
    assert recorder.problems == []


def test_what_a_lead_predicts_beyond_the_end_is_cut_with_a_fade(
    directory: RunDirectory, bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Utterances joined in one file must not click where they meet."""
    recorder = Recorder(directory, 16000)
    outputs = outputs_of(bundle_with(lead_ms=60.0), chunks_of(emg(1.0)))
    for output in outputs:
        recorder.take(output)
    recorder.close()
    voice = read(directory.audio)
    blocks = np.concatenate([block.samples for output in outputs for block in output.blocks])
    np.testing.assert_allclose(voice[:15900], blocks[:15900], atol=1 / 60000)
    assert voice[-1] == 0
    assert np.abs(blocks[15990:16100]).max() > 0.001


def test_named_utterances_get_a_wav_of_their_own(
    directory: RunDirectory, bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Scripts compare utterance by utterance."""
    recorder = Recorder(directory, 16000)
    outputs = outputs_of(bundle_with(), chunks_of(emg(0.5)) + chunks_of(emg(0.4, seed=1), epoch=1))
    paths = []
    for name, epoch in (("first", 0), (None, 1)):
        recorder.begin(name)
        for output in outputs:
            if output.epoch == epoch:
                recorder.take(output)
        paths.append(recorder.audio)
    recorder.close()
    assert paths == [directory.path / "utterances" / "first.wav", directory.audio]
    whole, first = read(directory.audio), read(paths[0])
    assert (len(whole), len(first)) == (14400, 8000)
    np.testing.assert_array_equal(whole[:8000], first)


def test_a_stretch_that_was_dropped_is_silence(
    directory: RunDirectory, bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A hole must not shift what comes after it."""
    recorder = Recorder(directory, 16000)
    outputs = outputs_of(bundle_with(), chunks_of(emg(1.0), (60,)))
    for n, output in enumerate(outputs):
        if n != 5:
            recorder.take(output)
    recorder.close()
    voice = read(directory.audio)
    missing = outputs[5].blocks[0]
    place = slice(missing.first_index, missing.first_index + len(missing.samples))
    assert len(voice) == 16000
    assert not voice[place].any()
    after = outputs[6].blocks[0]
    np.testing.assert_allclose(
        voice[place.stop : place.stop + len(after.samples)], after.samples, atol=1 / 60000
    )


def test_an_estimate_is_a_complete_line_at_once(directory: RunDirectory) -> None:
    """A program that follows the file must be able to parse each line it sees."""
    recorder = Recorder(directory, 16000)
    recorder.estimate(ESTIMATE)
    line = directory.estimates.read_text()
    assert line.endswith("\n")
    assert json.loads(line) == {
        "time_s": 1.5,
        "epoch": 0,
        "utterance": "u",
        "epoch_time_s": 0.5,
        "speech": 0.9,
        "mode": {
            "label": "silent",
            "answer": "silent",
            "probabilities": {"silent": 0.8, "audible": 0.2},
            "window_s": 1.0,
        },
        "speaker": None,
    }
    recorder.close()


def test_a_full_disk_costs_the_file_and_nothing_else(
    directory: RunDirectory,
    bundle_with: MakeBundle,
    emg: MakeEmg,
    chunks_of: MakeChunks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The voice must go on, one message must tell, and what was written stays readable."""
    recorder = Recorder(directory, 16000)
    outputs = outputs_of(bundle_with(), chunks_of(emg(1.0)))
    for output in outputs[:50]:
        recorder.take(output)
    write = WavFile.write

    def full(wav: WavFile, audio: NDArray[np.float32]) -> None:
        if wav.path == directory.audio:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(wav, audio)

    monkeypatch.setattr(WavFile, "write", full)
    for output in outputs[50:]:
        recorder.take(output)
        recorder.flush()
    recorder.estimate(ESTIMATE)
    recorder.close()
    assert recorder.problems == [
        "audio.wav is incomplete, it cannot be written: No space left on device"
    ]
    assert 3000 < len(read(directory.audio)) < 9000
    assert len(directory.estimates.read_text().splitlines()) == 1


class NearlyFull:
    """A file on a disk that has room for ten bytes more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = 10

    def write(self, content: bytes) -> int:
        if not self._left:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._file.write(content[: self._left])
        self._left -= taken
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_line_is_there_as_a_whole_or_not_at_all(directory: RunDirectory) -> None:
    """A script that reads the estimates would stumble over half a line of JSON."""
    recorder = Recorder(directory, 16000)
    recorder.estimate(ESTIMATE)
    recorder._lines = NearlyFull(recorder._lines)  # type: ignore[assignment]
    recorder.estimate(ESTIMATE)
    recorder.estimate(ESTIMATE)
    recorder.close()
    lines = directory.estimates.read_text().splitlines()
    assert [json.loads(line)["utterance"] for line in lines] == ["u"]
    assert recorder.problems == [
        "estimates.jsonl is incomplete, it cannot be written: No space left on device"
    ]


def test_a_directory_that_vanished_is_one_line(directory: RunDirectory) -> None:
    """A session that cannot write anything must say so before it starts."""
    directory.path.rmdir()
    with pytest.raises(OutputError, match=r"audio\.wav cannot be written: No such file"):
        Recorder(directory, 16000)


def test_a_disk_that_is_full_from_the_start_names_the_file(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of writing has no file name: it would be "None cannot be written"."""

    def full(*args: object) -> WavFile:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("streamer.results.recorder.WavFile", full)
    with pytest.raises(OutputError, match=r"audio\.wav cannot be written: No space.*--out"):
        Recorder(directory, 16000)
