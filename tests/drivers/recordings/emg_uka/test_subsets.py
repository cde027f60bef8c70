"""The files that tell speaking mode and split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.subsets import parse_subset, parse_utterance, read_subsets

numbers = st.text("0123456789", min_size=3, max_size=4)
sessions = st.builds("{}-{}".format, numbers, numbers)
subsets = st.dictionaries(sessions, st.sets(numbers, max_size=5), max_size=4)
spaces = st.sampled_from([" ", "  ", "\t"])


@given(subsets, spaces, st.sampled_from(["\n", "\r\n", "\n\n"]), st.randoms())
def test_every_utterance_comes_back(content, space, newline, random):
    """However a subset file is spaced and ordered, no utterance is lost or moved."""
    lines = []
    for session, names in content.items():
        shuffled = sorted(names)
        random.shuffle(shuffled)
        words = [f"emg_{session}:", *(f"emg_{session}-{name}" for name in shuffled)]
        lines.append(space.join(words))
    parsed = parse_subset(newline.join(lines), "train.audible")
    assert parsed == {
        session: tuple(f"{session}-{name}" for name in sorted(names))
        for session, names in content.items()
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("emg_002-001 emg_002-001-0100", "line 1 of test.silent"),
        ("\nbinary\x00: x", "line 2 of test.silent"),
        ("emg_002-001: emg_002-003-0100", "allowed: utterances of session 002-001"),
        ("emg_002-001: emg_002-001", "such as 002-001-0100"),
    ],
)
def test_an_odd_line_is_named(text, line):
    """A broken download is found where it is broken."""
    with pytest.raises(RecordingError, match=line):
        parse_subset(text, "test.silent")


@given(st.text())
def test_nothing_else_is_an_utterance(text):
    """No text makes the parser fail in another way than its own."""
    try:
        session, name = parse_utterance(text)
    except RecordingError:
        return
    assert name.startswith(session + "-")
    assert text in (name, "emg_" + name)


def test_no_utterance_in_two_subsets(tmp_path):
    """A test sentence that is trained on makes every figure a lie."""
    (tmp_path / "Subsets").mkdir()
    for subset in ("train.audible", "test.audible"):
        (tmp_path / "Subsets" / subset).write_text("emg_002-001: emg_002-001-0100\n")
    with pytest.raises(RecordingError, match="got train.audible and test.audible; allowed: one"):
        read_subsets(tmp_path)


def test_a_missing_subset_file_is_an_empty_subset(tmp_path):
    """A corpus of audible speech only needs no files for the other modes."""
    (tmp_path / "Subsets").mkdir()
    (tmp_path / "Subsets" / "train.audible").write_text("emg_002-001: emg_002-001-0100\n")
    assert read_subsets(tmp_path) == {"train.audible": {"002-001": ("002-001-0100",)}}


def test_a_subset_that_is_no_file_is_not_an_empty_one(tmp_path):
    """All its utterances were left out without a word."""
    (tmp_path / "Subsets" / "test.audible").mkdir(parents=True)
    (tmp_path / "Subsets" / "train.audible").write_text("emg_002-001: emg_002-001-0100\n")
    with pytest.raises(RecordingError, match=r"test\.audible"):
        read_subsets(tmp_path)
