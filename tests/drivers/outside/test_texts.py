import os

import pytest

from drivers.errors import RecordingError
from drivers.outside.texts import (
    MOST_BYTES,
    open_regular,
    parse_json,
    parse_yaml,
    read_json,
    read_text,
    read_yaml,
)

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")

DEEP = 10_000
MULTIPLYING = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 10)]
)


def _pipe(path):
    os.mkfifo(path)
    return path


def _large(path):
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    return path


@pytest.mark.parametrize("read", [open_regular, read_text, read_json, read_yaml])
@pytest.mark.parametrize(
    ("make", "refused"),
    [
        pytest.param(_pipe, "got a pipe; allowed: a file", marks=needs_fifos),
        pytest.param(lambda path: "/dev/zero", "got a device; allowed: a file", marks=needs_fifos),
        (lambda path: path.parent, "a directory; allowed: a file"),
        (lambda path: "a\0b", "a name with NUL in it"),
    ],
)
def test_what_is_no_file_is_refused_at_once(tmp_path, read, make, refused):
    with pytest.raises(RecordingError, match=refused):
        read(make(tmp_path / "it"), "thing", RecordingError)


@pytest.mark.parametrize("read", [read_text, read_json, read_yaml])
def test_a_text_without_an_end_in_sight_is_refused(tmp_path, read):
    with pytest.raises(RecordingError, match="more than [0-9]+ MiB"):
        read(_large(tmp_path / "it"), "thing", RecordingError)


@pytest.mark.parametrize(
    ("parse", "text", "refused"),
    [
        (parse_json, "[" * DEEP + "]" * DEEP, "nesting of thing: got deeper than 32"),
        (parse_json, '{"a":' * 40 + "1" + "}" * 40, "nesting of thing: got deeper than 32"),
        (parse_json, "[" + "1," * 2**17 + "1]", "entries of thing: got more than"),
        (parse_json, '{"a": NaN}', "thing is not JSON: NaN is no number of JSON"),
        (parse_json, "9" * 10_000, "thing is not JSON: "),
        (parse_json, "{", "thing is not JSON: "),
        (parse_yaml, "[" * DEEP + "]" * DEEP, "nesting of thing: got deeper than 32"),
        (parse_yaml, "{a: " * 40 + "1" + "}" * 40, "nesting of thing: got deeper than 32"),
        (parse_yaml, MULTIPLYING, "entries of thing: got more than"),
        (parse_yaml, "a: &a [*a]", "nesting of thing: got deeper than 32"),
        (parse_yaml, "when: 2024-13-45", "thing is not YAML: "),
        (parse_yaml, "!!python/object/apply:os.getcwd []", "thing is not YAML: "),
    ],
)
def test_a_text_that_means_too_much_is_refused_in_one_line(parse, text, refused):
    with pytest.raises(RecordingError, match=refused) as error:
        parse(text, "thing", RecordingError)
    assert len(str(error.value)) < 2000


def test_an_ordinary_text_is_read_as_it_is(tmp_path):
    file = tmp_path / "it"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [2, *c]\r\n".replace(b"*c", b"&c 3, *c"))
    assert read_text(file, "thing") == "a: 1\nb: [2, &c 3, *c]\n"
    assert read_yaml(file, "thing") == {"a": 1, "b": [2, 3, 3]}
    file.write_text('{"ä": [1, 2.5, null]}', "utf-8")
    assert read_json(file, "thing") == {"ä": [1, 2.5, None]}


def test_what_is_not_there_is_the_caller_s_to_explain(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "it", "thing")
