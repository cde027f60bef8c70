"""What is learned from all sessions, kept for the next bundle."""

import errno
import os

import numpy as np
import pytest

pytest.importorskip("torch")

from drivers.errors import StreamerError  # noqa: E402
from models.bundle import Bundle  # noqa: E402
from models.training import base_file  # noqa: E402
from models.training.base_file import read_base, write_base  # noqa: E402
from models.training.causal import Base, CausalSettings  # noqa: E402
from models.training.examples import SignalSettings, utterance_of  # noqa: E402
from models.training.frame_parts import _held_out  # noqa: E402

SETTINGS = CausalSettings(width=8)
LEARNED = {"002-001": "4 utterances, 12ab"}


@pytest.fixture
def base():
    rng = np.random.default_rng(0)
    layers = {"002-001": {"mix": rng.normal(size=(2, 2)), "layer.bias": rng.normal(size=2)}}
    return Base(SETTINGS, {"body.layers.0.weight": rng.normal(size=(3, 2))}, layers)


def test_it_comes_back_as_it_was(base, tmp_path):
    """The second bundle would start from another network than the first."""
    file = tmp_path / "new" / "base.npz"
    write_base(file, base, LEARNED)
    found = read_base(file, SETTINGS, LEARNED)
    np.testing.assert_array_equal(
        found.shared["body.layers.0.weight"], base.shared["body.layers.0.weight"]
    )
    assert set(found.layers) == {"002-001"}
    for name, value in base.layers["002-001"].items():
        np.testing.assert_array_equal(found.layers["002-001"][name], value)
    assert [one.name for one in file.parent.iterdir()] == ["base.npz"]


def test_another_corpus_or_network_is_refused_in_one_line(base, tmp_path):
    """A bundle would say that it learned from sessions that it never saw."""
    file = tmp_path / "base.npz"
    write_base(file, base, LEARNED)
    for settings, learned, what in (
        (SETTINGS, {"002-001": "4 utterances, 34cd"}, "training utterances"),
        (CausalSettings(width=16), LEARNED, "settings"),
    ):
        with pytest.raises(StreamerError, match=f"{what}.*base.npz") as caught:
            read_base(file, settings, learned)
        assert "\n" not in str(caught.value)
    file.write_bytes(b"no archive")
    with pytest.raises(StreamerError, match="streamer train"):
        read_base(file, SETTINGS, LEARNED)


def test_a_base_of_another_version_is_refused_in_one_line(base, tmp_path, monkeypatch):
    """After an update, `streamer train` would end in a traceback within the network."""
    file = tmp_path / "base.npz"
    with monkeypatch.context() as before:
        before.setattr(base_file, "_VERSION", base_file._VERSION - 1)
        write_base(file, base, LEARNED)
    with pytest.raises(StreamerError, match="version of base .*base.npz.*remove it") as caught:
        read_base(file, SETTINGS, LEARNED)
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_the_base_that_was_there(base, tmp_path, monkeypatch):
    """Minutes of training would be lost, and the next training would find half a file."""
    file = tmp_path / "base.npz"
    write_base(file, base, LEARNED)
    before = file.read_bytes()

    def full(opened, **arrays):
        opened.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(StreamerError, match="No space left"):
        write_base(file, base, LEARNED)
    assert file.read_bytes() == before


def test_the_second_session_starts_from_the_first_one_s_base(write, train, tmp_path):
    """It takes minutes, and each bundle of a corpus would train it again."""
    corpus = write({name: {"train.audible": 4} for name in ("002-001", "008-001")})
    for session in ("002/001", "008/001"):
        for number, file in enumerate(sorted((corpus / "Transcripts" / session).iterdir())):
            file.write_text(f"AH {number}\n")
    told: list[str] = []
    file = tmp_path / "base.npz"
    for session in ("002-001", "008-001"):
        told.append("/")
        train(
            corpus, session, tmp_path / session, base=file,
            progress=lambda what, done, total: told.append(what),
        )  # fmt: skip
        assert Bundle.open(tmp_path / session).manifest.figures["converter"]["held_out_mcd_db"] > 0
    second = told[len(told) - told[::-1].index("/") :]
    assert "learning from all sessions" in told
    assert "learning from all sessions" not in second
    assert "learning from the session" in second


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
