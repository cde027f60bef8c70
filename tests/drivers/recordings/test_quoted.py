"""Texts that would be misread come back as they were, in tables and in EDF alike."""

import pytest

from drivers.recordings.quoted import quote, unquote


@pytest.mark.parametrize(
    "text", ["AH", "a b", "", " around ", "two\nlines", '"quoted"', '"', "[1]", "äöü", "\x1b[2J"]
)
def test_a_text_comes_back_from_its_line(text):
    """A marker with a line feed in it would be two markers, or end the file."""
    line = quote(text, '"[')
    assert line.isprintable()
    assert line[:1] != "["
    assert unquote(line) == text


@pytest.mark.parametrize("line", ['"half', '"a" b', '"\\x"'])
def test_what_only_begins_like_one_is_taken_as_it_stands(line):
    """Other programs write quotation marks, too."""
    assert unquote(line) == line
