"""What is learned from all sessions, kept for the next bundle."""

import errno
import json
import os
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from drivers.errors import StreamerError  # noqa: E402
from models.bundle import Bundle  # noqa: E402
from models.signal.conditioning import ConditioningSettings  # noqa: E402
from models.signal.filters import NotchSettings  # noqa: E402
from models.speech.analysis import SpeechSettings  # noqa: E402
from models.training import base_file  # noqa: E402
from models.training.base_file import (  # noqa: E402
    KnownBase,
    fits_of,
    learned_from,
    read_base,
    write_base,
)  # noqa: E402
from models.training.causal import Base, CausalSettings  # noqa: E402
from models.training.causal_training import train_session  # noqa: E402
from models.training.examples import SignalSettings, parallel, utterance_of  # noqa: E402
from models.training.frame_parts import _held_out, _unknown  # noqa: E402
from models.training.progress import nobody  # noqa: E402

SETTINGS = CausalSettings(width=8)
LEARNED = {"002-001": {"002-001-0100": "12ab", "002-001-0101": "34cd"}}


def fits(network=SETTINGS, notch=None, rate_hz=600.0, channels=("EMG1", "EMG2"), **speech):
    signal = SignalSettings(ConditioningSettings(notch=notch))
    return fits_of(network, signal, SpeechSettings(**speech), rate_hz, channels)


FITS = fits()


@pytest.fixture
def known():
    rng = np.random.default_rng(0)
    layers = {"002-001": {"mix": rng.normal(size=(2, 2)), "layer.bias": rng.normal(size=2)}}
    shared = {"body.layers.0.weight": rng.normal(size=(3, 2))}
    return KnownBase(Base(SETTINGS, shared, layers), LEARNED)


def test_it_comes_back_as_it_was(known, tmp_path):
    """The second bundle would start from another network than the first."""
    file = tmp_path / "new" / "base.npz"
    write_base(file, known, FITS)
    found = read_base(file, SETTINGS, FITS)
    assert found.learned == LEARNED
    assert found.sessions == {"002-001": 2}
    assert found.base.shared.keys() == known.base.shared.keys()
    for name, value in known.base.shared.items():
        np.testing.assert_array_equal(found.base.shared[name], value)
    assert set(found.base.layers) == {"002-001"}
    for name, value in known.base.layers["002-001"].items():
        np.testing.assert_array_equal(found.base.layers["002-001"][name], value)
    assert [one.name for one in file.parent.iterdir()] == ["base.npz"]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (fits(CausalSettings(width=16)), "network.width"),
        (fits(CausalSettings(width=8, lead_ms=50)), "network.lead_ms"),
        (fits(CausalSettings(width=8, future=3)), "network.future"),
        (fits(notch=NotchSettings(60.0)), "signal.conditioning.notch"),
        (fits(rate_hz=1000.0), "rate_hz"),
        (fits(channels=("EMG1",)), "channels"),
        (fits(order=20), "speech.order"),
    ],
)
def test_a_base_of_other_settings_is_refused_in_one_line(known, tmp_path, other, what):
    """Its numbers would mean something else, and the bundle would be worse without a word."""
    file = tmp_path / "base.npz"
    write_base(file, known, FITS)
    with pytest.raises(StreamerError, match=f"{what}.* of base .*base.npz") as caught:
        read_base(file, SETTINGS, other)
    assert "\n" not in str(caught.value)


def test_how_long_a_base_was_trained_and_by_what_chance_does_not_matter(known, tmp_path):
    """Another seed, or more passes over the session, would train for minutes anew."""
    file = tmp_path / "base.npz"
    write_base(file, known, FITS)
    read_base(file, SETTINGS, fits(replace(SETTINGS, seed=7, epochs=3, dropout=0.1)))


def _other_version(about):
    return {**about, "version": base_file._VERSION - 1}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_other_version, "version of base .*remove it"),
        (lambda about: {**about, "learned": ["002-001"]}, "streamer train"),
        (lambda about: {**about, "learned": {"002-001": 3}}, "streamer train"),
        (lambda about: {**about, "fits": 3}, "streamer train"),
        (lambda about: {}, "streamer train"),
        (lambda about: [], "streamer train"),
    ],
)
def test_what_a_base_says_of_itself_is_checked(known, tmp_path, change, line):
    """After an update, or a copy that failed, training would end in a traceback."""
    file = tmp_path / "base.npz"
    write_base(file, known, FITS)
    with np.load(file) as content:
        arrays = dict(content)
    about = change(json.loads(str(arrays["about"])))
    np.savez(file, **{**arrays, "about": np.array(json.dumps(about))})
    with pytest.raises(StreamerError, match=line) as caught:
        read_base(file, SETTINGS, FITS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_base_that_is_not_finite_is_refused(known, tmp_path, value):
    """The voice would be NaN from its first sample on."""
    known.base.shared["body.layers.0.weight"][1, 1] = value
    file = tmp_path / "base.npz"
    write_base(file, known, FITS)
    with pytest.raises(StreamerError, match="no finite numbers in .*weight"):
        read_base(file, SETTINGS, FITS)


@pytest.mark.parametrize("content", [b"no archive", b"", b"PK\x03\x04 half"])
def test_what_is_no_base_is_refused_in_one_line(tmp_path, content):
    """A wrong path says what a right one is."""
    file = tmp_path / "base.npz"
    file.write_bytes(content)
    with pytest.raises(StreamerError, match="base.npz.*streamer train"):
        read_base(file, SETTINGS, FITS)


def test_a_pipe_is_no_base(tmp_path):
    """Training would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StreamerError, match="a pipe"):
        read_base(tmp_path / "pipe", SETTINGS, FITS)


def test_a_base_that_is_there_is_never_overwritten(known, tmp_path):
    """It took minutes, and bundles that were made from it could not be made again."""
    file = tmp_path / "base.npz"
    file.write_bytes(b"somebody else was faster")
    write_base(file, known, FITS)
    assert file.read_bytes() == b"somebody else was faster"
    assert [one.name for one in tmp_path.iterdir()] == ["base.npz"]


def test_a_full_disk_leaves_no_half_base(known, tmp_path, monkeypatch):
    """The next training would find half a file."""
    file = tmp_path / "base.npz"

    def full(opened, **arrays):
        opened.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(StreamerError, match="No space left"):
        write_base(file, known, FITS)
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_other_parts_is_refused_in_one_line(known, make_recording):
    """PyTorch names its parts over twenty lines."""
    one = utterance_of(make_recording(session="002-001"), SignalSettings(), SpeechSettings())
    with pytest.raises(StreamerError, match="base"):
        train_session("002-001", parallel([one]), known.base, SETTINGS, 0.01, nobody)


def test_a_new_session_starts_from_the_base_of_another(write, train, tmp_path):
    """Minutes for each new session, which adapting from what is there does without."""
    corpus = write({name: {"train.audible": 4} for name in ("002-001", "008-001")})
    for session in ("002/001", "008/001"):
        for number, file in enumerate(sorted((corpus / "Transcripts" / session).iterdir())):
            file.write_text(f"AH {number}\n")
    subsets = corpus / "Subsets" / "train.audible"
    whole = subsets.read_text()
    subsets.write_text(whole.splitlines()[0] + "\n")
    file = tmp_path / "base.npz"
    train(corpus, "002-001", tmp_path / "first", base=file)
    before = file.read_bytes()
    subsets.write_text(whole)
    steps: list[str] = []
    manifest = train(
        corpus,
        "008-001",
        tmp_path / "second",
        base=file,
        progress=lambda *now: steps.append(now[0]),
    )
    assert "learning from all sessions" not in steps
    assert "learning from the session" in steps
    assert file.read_bytes() == before
    converter = manifest.figures["converter"]
    assert converter["held_out_mcd_db"] > 0
    assert "held_out_known_to_base" not in converter
    about = manifest.model_dump(mode="json")["provenance"]["converter_data"]
    assert about["learned_first_from"] == {"002-001": 3}
    assert Bundle.open(tmp_path / "second").manifest.converter == manifest.converter


def test_what_a_base_has_heard_is_not_what_it_is_measured_on(make_recording):
    """The figure would flatter; where nothing else is left, it says so."""

    def said(session, number, sentence):
        recording = make_recording(session=session, name=f"{session}-{number}", transcript=sentence)
        return utterance_of(recording, SignalSettings())

    own = [said("a", k, f"sentence {k}") for k in range(8)]

    def held_out(*learned):
        return _unknown(own, KnownBase(Base(SETTINGS, {}, {}), learned_from(learned)))

    assert held_out(*own[:5]) == own[5:]
    assert held_out(*own[:4], said("b", 0, "sentence 6")) == [own[4], own[5], own[7]]
    assert held_out(said("b", 0, "elsewhere")) == [own[4]]
    assert held_out(*own) == [own[4]]


def test_a_sentence_is_held_out_of_all_sessions(make_recording):
    """Another session would have said it already, and the figure would flatter."""

    def said(session, sentence):
        recording = make_recording(
            session=session, transcript=sentence, name=f"{session}{sentence}"
        )
        return utterance_of(recording, SignalSettings())

    known = [said(session, str(k)) for session in ("a", "b") for k in range(16)]
    own = [one for one in known if one.session == "a"]
    held_out = _held_out(own, known)
    sentences = {one.transcript for one in held_out}
    assert len(sentences) == 2
    assert len(held_out) == 4
    drilled = [said(session, "yes") for session in ("a", "b") for _ in range(6)]
    own = [one for one in drilled if one.session == "a"]
    held_out = _held_out(own, drilled)
    assert 0 < len(held_out) < len(own)
    assert all(one.session == "a" for one in held_out)
