import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import StreamerError
from drivers.outside.names import MOST_LETTERS, clean, file_name, shown

FOREIGN = st.text(st.characters(codec=None), max_size=2000)  # lone surrogates, too


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("EMG 1", "EMG 1"),
        ("Müller, 日本", "Müller, 日本"),
        ("می‌خواهم", "می‌خواهم"),
        (" a\tb\nc\r\nd ", "a b c d"),
        ("\x1b[2J\x1b]0;title\x07", "�[2J�]0;title�"),
        ("EMG1\0\0\0", "EMG1���"),
        ("lone \ud800 surrogate", "lone � surrogate"),
        ("right \u202e to left", "right � to left"),
        ("x" * 10_000, "x" * MOST_LETTERS),
        ("", ""),
    ],
)
def test_a_text_of_others_is_one_line_that_any_terminal_and_file_can_take(text, cleaned):
    assert clean(text) == cleaned


@given(FOREIGN)
def test_what_is_clean_stays_as_it_is_and_can_be_encoded(text):
    once = clean(text)
    assert clean(once) == once
    assert len(once) <= MOST_LETTERS
    once.encode("utf-8")


@given(FOREIGN, st.integers(20, 400))
def test_what_is_shown_is_one_short_line(text, most):
    line = shown(text, most)
    assert len(line) <= most
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")


def test_both_ends_of_a_long_text_are_shown():
    line = shown("begin " + "x" * 100_000 + " end")
    assert line.startswith("begin ")
    assert line.endswith(" end")


@given(FOREIGN)
def test_every_name_can_be_that_of_a_file(text):
    name = file_name(text)
    assert name
    assert not name.startswith(".")
    assert not set(name) & set('/\\:*?"<>|\0')
    assert len(name.encode()) <= 200


def test_letters_of_any_script_stay_in_a_file_name():
    assert file_name("äö") == "äö"
    assert file_name("üß") == "üß"
    assert file_name("a/b") == "a_b"
    assert file_name("../x") == "_x"


@given(FOREIGN, FOREIGN)
def test_an_error_is_one_line_whatever_is_in_it(thing, value):
    line = str(StreamerError(thing, value=value, allowed=value, way_out=value))
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
    assert len(line) < 4000
    line.encode("utf-8")
