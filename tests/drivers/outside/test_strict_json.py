import json
from pathlib import Path

import numpy as np
import pytest

from drivers.outside.strict_json import to_json, write_json


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float64("-inf"), None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        ((1, "zwei"), [1, "zwei"]),
        ({1: {"a": float("nan")}}, {"1": {"a": None}}),
        ("lone \ud800 surrogate", "lone � surrogate"),
        ("Ü𝄞", "Ü𝄞"),
        (Path("a/b"), "a/b"),
        (True, True),
        (None, None),
    ],
)
def test_whatever_is_written_every_reader_of_json_takes(value, read):
    text = to_json({"value": value})
    text.encode("utf-8")

    def refuse(name):
        raise AssertionError(name)

    assert json.loads(text, parse_constant=refuse) == {"value": read}


def test_what_json_has_no_form_for_is_an_error():
    with pytest.raises(TypeError, match="JSON has no set"):
        to_json({"value": {1, 2}})


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path):
    file = tmp_path / "summary.json"
    write_json({"a": 1}, file)
    with pytest.raises(TypeError):
        write_json({"a": {1}}, file)
    assert json.loads(file.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]
