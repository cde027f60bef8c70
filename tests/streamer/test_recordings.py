"""`--session`, `--subset` and `--utterance` choose what they say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.errors import RecordingError
from drivers.recordings.recording import Recording
from drivers.recordings.registry import write_recordings
from drivers.source import Channel, Provenance, SourceState
from streamer.recordings import RecordingsSettings, Selection, replay_source

EMG = np.zeros((12, 2), np.float32)
PLAIN = Recording("a", EMG, 600.0, (Channel("EMG1"), Channel("EMG2")))
HELD = [
    replace(PLAIN, name="a", session="1", split="train", mode="audible"),
    replace(PLAIN, name="b", session="1", split="test", mode="audible"),
    replace(PLAIN, name="c", session="2", split="test", mode="silent"),
    replace(PLAIN, name="d", session="2", split="test", mode="whispered"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "held.xdf"
    write_recordings(path, HELD)
    return path


def names(selection: Selection) -> list[str]:
    return [recording.name for recording in selection.recordings]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, "abcd"),
        ({"session": "1"}, "ab"),
        ({"subset": "test"}, "bcd"),
        ({"subset": "silent"}, "c"),
        ({"subset": "test.audible"}, "b"),
        ({"session": "2", "subset": "test.whispered"}, "d"),
        ({"utterances": ("c", "b")}, "cb"),
        ({"session": "2", "utterances": ("d",)}, "d"),
    ],
)
def test_what_is_chosen_of_a_file_comes(file: Path, chosen: dict[str, object], found: str) -> None:
    """A figure would be of other recordings than the ones it is said to be of."""
    selection = Selection(RecordingsSettings(path=file, **chosen))  # type: ignore[arg-type]
    assert names(selection) == list(found)
    assert names(selection) == list(found)  # as often as it is asked for, as in a loop
    assert selection.skipped == []


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"session": "3"}, r"none that is chosen.*session 1, train\.audible.*leave --session"),
        ({"subset": "train.silent"}, "none that is chosen"),
        ({"subset": ""}, "none that is chosen"),
        ({"utterances": ("b", "e")}, "got e; allowed: a, b, c, d"),
        ({"session": "1", "utterances": ("c",)}, "got c; allowed: a, b"),
        ({"emg_scale_uv": 0.5}, "EMG scale of .*held.xdf"),
    ],
)
def test_what_is_not_in_a_file_is_refused(file: Path, chosen: dict[str, object], said: str) -> None:
    """An empty result would look like one."""
    with pytest.raises(RecordingError, match=said):
        Selection(RecordingsSettings(path=file, **chosen))  # type: ignore[arg-type]


def test_a_file_that_names_no_session_says_so(tmp_path: Path) -> None:
    """Somebody would look for a session called None."""
    path = tmp_path / "plain.npz"
    write_recordings(path, [PLAIN])
    with pytest.raises(RecordingError, match="allowed: no session, no subset; leave"):
        Selection(RecordingsSettings(path=path, session="1"))


def test_the_package_s_own_is_simulated() -> None:
    """Simulated people must never pass for recorded ones."""
    selection = Selection(RecordingsSettings(session="101-001", subset="test.audible"))
    assert next(iter(selection.recordings)).provenance is Provenance.SIMULATED
    found = list(selection.recordings)
    assert found
    assert {(r.session, r.split, r.mode) for r in found} == {("101-001", "test", "audible")}


def test_utterances_of_a_corpus_keep_the_order_that_is_asked_for() -> None:
    """The demonstration plays a programme."""
    all_names = names(Selection(RecordingsSettings()))
    wanted = (all_names[7], all_names[2])
    assert names(Selection(RecordingsSettings(utterances=wanted))) == list(wanted)
    with pytest.raises(RecordingError, match="999-001-0001"):
        names(Selection(RecordingsSettings(utterances=("999-001-0001",))))


def test_the_natural_speech_of_an_utterance_is_found_by_its_name(file: Path) -> None:
    """The distortion would be against the speech of another sentence."""
    find = Selection(RecordingsSettings()).natural()
    name = names(Selection(RecordingsSettings()))[3]
    found = find(name)
    assert found is not None
    assert found.name == name
    assert find("epoch-0001") is None
    held = Selection(RecordingsSettings(path=file)).natural()
    (b,) = (one for one in [held("b")] if one is not None)
    assert (b.name, b.split) == ("b", "test")
    assert held("e") is None


def test_natural_speech_begins_where_the_replay_does() -> None:
    """With --start the first distortion would be of shifted speech."""
    selection = Selection(RecordingsSettings())
    first, *_ = selection.recordings
    cut = selection.natural(0.5)(first.name)
    assert cut is not None
    assert len(cut.emg_uv) == len(first.emg_uv) - 300


def test_an_unpaced_replay_gives_the_same_in_longer_chunks() -> None:
    """What is measured at full speed would not be what is heard."""
    emg = np.arange(600.0, dtype=np.float32).reshape(300, 2)
    recording = replace(PLAIN, emg_uv=emg)
    found = []
    for pace in (50.0, "max"):
        chunks = []
        with replay_source([recording], pace, start_s=0.1, clock=VirtualClock()) as source:
            while source.health.state is not SourceState.DISCONNECTED:
                chunk = source.read(0.1)
                if chunk is not None:
                    chunks.append(chunk.samples)
        found.append(chunks)
    assert {len(chunk) for chunk in found[0]} == {6}
    assert len(found[1]) == 4
    for chunks in found:
        np.testing.assert_array_equal(np.concatenate(chunks), emg[60:])
