"""Results that are kept: as they were written, or as if they were not there."""

import hashlib
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from drivers.errors import StreamerError  # noqa: E402
from models.evaluation import kept  # noqa: E402
from models.evaluation.kept import keep, read_kept, write_kept  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.unseen_sessions import Decision  # noqa: E402
from models.training.examples import Emg  # noqa: E402


def content() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(5, 3))
    return (
        {
            "text": "ä\ud800\n",
            "numbers": [1, -2.5, float("nan"), float("inf"), True, None],
            ("a", 1): (numbers, np.asfortranarray(numbers), numbers[::2, ::-1]),
            True: np.float32(0.1),
            "kinds": [np.arange(3), np.array(["a", "bc"]), np.array(7), np.zeros((0, 4), bool)],
        },
        Decision("002-001", "audible", "002", "008"),
        Emg(rng.normal(size=(9, 2)), np.ones((3, 10), np.float32)),
    )


def same(one: Any, other: Any) -> bool:
    """Compare all of two results, to the last bit, and how their arrays lie in memory."""
    return pickle.dumps(one) == pickle.dumps(other)


def test_what_is_kept_is_what_was_found(tmp_path: Path) -> None:
    """A resumed evaluation would have other figures than one in a single run."""
    file = tmp_path / "a" / "result.kept"
    write_kept(file, content())
    found, wanted = read_kept(file), content()
    assert found is not None
    assert same(found[1], wanted[1])
    for key, value in wanted[0].items():
        assert repr(found[0][key]) == repr(value)
    for one, other in zip(found[0]["a", 1], wanted[0]["a", 1], strict=True):
        assert one.tobytes() == other.tobytes()
        assert one.flags.writeable
    assert found[0]["a", 1][1].flags.f_contiguous
    assert found[2].samples.tobytes() == wanted[2].samples.tobytes()
    assert found[2].frames.dtype == np.float32
    write_kept(file, found)
    assert same(read_kept(file), found)


def test_no_bit_can_be_turned_unseen(tmp_path: Path) -> None:
    """Forty of them changed nearly every figure, and nobody knew."""
    file = tmp_path / "result.kept"
    write_kept(file, content())
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        file.write_bytes(bytes(damaged))
        assert read_kept(file) is None
    file.write_bytes(whole[:-1])
    assert read_kept(file) is None


def signed(structure: bytes, arrays: bytes = b"") -> bytes:
    """Write a file with the right checksum, as somebody with bad intentions would."""
    body = len(structure).to_bytes(8, "little") + structure + arrays
    return hashlib.sha256(body).digest() + body


class Runs:
    """Something that a pickle would run."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize(
    "planted",
    [
        pickle.dumps((Runs(),)),
        hashlib.sha256(pickle.dumps((Runs(),))).digest() + pickle.dumps((Runs(),)),
        signed(b'{"content": ["tuple", ["os:mkdir", ["path", "ran"]]], "arrays": []}'),
        signed(b'{"content": ["tuple", ["pathlib:Path", ["args", 1]]], "arrays": []}'),
        signed(
            b'{"content": ["tuple", ["array", 0]], '
            b'"arrays": [{"type": "|O", "shape": [1], "order": "C"}]}',
            bytes(8),
        ),
        signed(b'{"content": ' + b"[" * 100_000, b""),
        signed(b'{"content": 1, "arrays": []}'),
        b"",
    ],
)
def test_nothing_in_a_file_is_run(
    tmp_path: Path, planted: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write there would run what he likes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "result.kept").write_bytes(planted)
    assert read_kept(tmp_path / "result.kept") is None
    assert not (tmp_path / "ran").exists()


@dataclass(frozen=True)
class Unknown:
    """Of a kind that nobody has put on the list."""

    number: int


@pytest.mark.parametrize(
    "value", [Unknown(1), np.array([None]), {1, 2}, Runs(), open], ids=lambda v: type(v).__name__
)
def test_what_cannot_be_kept_is_said(tmp_path: Path, value: object) -> None:
    """A job's result would be gone, and the job done again at each call."""
    with pytest.raises(TypeError, match="cannot be kept"):
        write_kept(tmp_path / "result.kept", (value,))
    assert not list(tmp_path.iterdir())


def test_every_kind_that_may_be_kept_is_there() -> None:
    """After a dataclass is renamed, its results would be found anew at each call."""
    for name in kept.KINDS:
        assert kept._kind(name)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are not in the mode here")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    """They would choose the figures."""
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StreamerError, match="others may write to it.*chmod go-w"):
        keep(folder / "result.kept", lambda: 1)
    folder.chmod(0o755)
    assert keep(folder / "result.kept", lambda: 1) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are not in the mode here")
def test_a_directory_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner would choose the figures."""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StreamerError, match="somebody else's"):
        keep(tmp_path / "result.kept", lambda: 1)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are not in the mode here")
def test_a_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """A umask for a group is common where several people work on one machine."""
    before = os.umask(0)
    try:
        keep(tmp_path / "cache" / "result.kept", lambda: 1)
    finally:
        os.umask(before)
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_a_damaged_session_is_analysed_again(small_corpus: Path, tmp_path: Path) -> None:
    """Its samples would be wrong in every experiment."""
    store = tmp_path / "sessions"
    store.mkdir(mode=0o700)
    material = replace(Material.of(small_corpus), store=store)

    def analysed(place: Path | None = store) -> list[bytes]:
        from models.evaluation import material as module

        module._session.cache_clear()
        session = replace(material, store=place).session("002-001")
        return [one.emg.samples.tobytes() for one in session.utterances]

    first = analysed()
    [file] = store.iterdir()
    assert analysed() == first == analysed(None)
    content = bytearray(file.read_bytes())
    for place in range(1000, len(content), len(content) // 40):
        content[place] ^= 4
    file.write_bytes(bytes(content))
    assert analysed() == first
