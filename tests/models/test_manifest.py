"""Numbers and texts of a manifest that somebody else may have written."""

import copy
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, BundleError, packaged_bundle

PACKAGED = json.loads((packaged_bundle() / "manifest.json").read_text("utf-8"))

BANDS = PACKAGED["converter"]["bands"]
EVERYTHING = copy.deepcopy(PACKAGED) | {
    "conditioning": {
        "high_pass": {"cutoff_hz": 1.0, "order": 1},
        "notch": {"hum_hz": 50.0, "quality": 30.0, "harmonics": 3},
    },
    "mode": PACKAGED["mode"]
    | {
        "features": ["embedding"],
        "encoder": {"file": "encoder.onnx", "slice_frames": 32, "slice_shift": 16},
    },
}
"""Of a bundle with every part that there can be."""

WRONG = (-1, 0, 1e9, -1e9, 1e300, -1e300, float("nan"), float("inf"), True, "text", [1], None)


ONLY_SHOWN = (
    ("figures",),
    ("version",),  # one of two
    ("provenance", "converter_data"),
    ("provenance", "classifier_data", "activity"),
    ("provenance", "classifier_data", "speaker"),
)


def numbers_in(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the place of each number that something of JSON has, of a list only the first one's."""
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content[:1])
        for key, one in pairs:
            place = (*path, key)
            if place not in ONLY_SHOWN:
                yield from numbers_in(one, place)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield path


def changed(content: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    content = copy.deepcopy(content)
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return content


def refusal(tmp_path: Path, content: dict[str, Any] | str) -> str | None:
    """Open a bundle of these words; return why it is refused, None where it is not."""
    path = tmp_path / "bundle"
    if not path.exists():
        shutil.copytree(packaged_bundle(), path)
    text = content if isinstance(content, str) else json.dumps(content)
    (path / "manifest.json").write_text(text)
    try:
        Bundle.open(path)
    except BundleError as error:
        return str(error)
    return None


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let this process have no more than two gigabytes beside what it has by now."""
    resource = pytest.importorskip("resource")
    if sys.platform != "linux":
        pytest.skip("says how much memory it has elsewhere")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**31, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("content", [PACKAGED, EVERYTHING], ids=["packaged", "everything"])
@pytest.mark.parametrize("path", list(numbers_in(EVERYTHING)), ids=lambda p: ".".join(map(str, p)))
def test_a_number_that_cannot_be_is_one_line(
    tmp_path: Path, content: dict[str, Any], path: tuple[Any, ...]
) -> None:
    """Whoever edits a manifest, or gets one, would see a traceback, or a machine that stands."""
    if path not in set(numbers_in(content)):
        return
    for value in WRONG:
        said = refusal(tmp_path, changed(content, path, value))
        if said is None or "encoder.onnx" in said:  # which is not there
            large = abs(value or 0) == 1e9 and "covariance" in path  # a product of two
            assert value in (-1, 0, None) or large, value
            assert not isinstance(value, bool)
            continue
        assert "\n" not in said
        assert "manifest" in said
        assert len(said) < 1500


def together(**places: object) -> dict[str, Any]:
    content = {key: part for key, part in EVERYTHING.items() if key != "stand_in"}
    for path, value in places.items():
        content = changed(content, tuple(path.split("__")), value)
    return content


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize(
    ("content", "thing"),
    [
        (together(signal__rate_hz=1e5, features__frame_s=1.0), "samples of a frame"),
        (
            together(converter__bands__window_s=10.0, converter__bands__high_hz=300.0),
            "samples of the bands' window",
        ),
        (
            together(
                activity__stacking__past=1000, signal__channels=[f"EMG{k}" for k in range(99)]
            ),
            "columns",
        ),
        (together(converter__states={f"s{k}": [2**24] for k in range(9)}), "states of the"),
        (together(converter__states={"s": [2**20, 2**20, 2**20]}), "states of the"),
        (together(mode__window_s=60, signal__rate_hz=1e5), "values in a window"),
        (
            together(
                mode__window_s=60, mode__encoder__slice_frames=6000, mode__encoder__slice_shift=1
            ),
            "values in the slices",
        ),
        (together(speech__fft=16), "frame of the speech, and its fft"),
        (together(speech__frame=100), "hop of the speech, and its frame"),
        (together(speech__hop=80), "a hop of the speech lasts 0.005 s"),
        (
            together(
                speech__rate_hz=8000,
                speech__hop=80,
                speech__frame=100,
                speech__fft=128,
                speech__order=50,
            ),
            "order of the speech",
        ),
        (together(speech__fft=500), "fft of the speech"),
        (together(speech__f0_low_hz=500), "f0_low_hz and f0_high_hz"),
    ],
)
def test_sizes_that_follow_from_several_numbers_are_bounded(
    tmp_path: Path, content: dict[str, Any], thing: str
) -> None:
    """Each of them can be right, and all of the memory is gone nevertheless."""
    said = refusal(tmp_path, content)
    assert said is not None
    assert thing in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "change",
    [
        {"provenance__converter_data": {"session": ["101-001"]}},
        {"provenance__converter_data": {"session": {"a": 1}}},
        {"provenance__converter_data": ["101-001"]},
        {"provenance__classifier_data": {"mode": ["101-001"]}},
        {"provenance__classifier_data": {"mode": {"101-001": "many"}}},
        {"provenance__versions": {"numpy": 2}},
        {"mode__labels": ["audible", ["silent"], "whispered"]},
        {"mode__labels": ["audible", "audible", "silent"]},
        {"converter__file": "a" * 10_000},
        {"name": 7},
    ],
)
def test_what_is_used_has_a_type(tmp_path: Path, change: dict[str, Any]) -> None:
    """It would end the session in a traceback, right before its summary."""
    said = refusal(tmp_path, together(**change))
    assert said is not None
    assert "\n" not in said


def test_what_has_no_type_is_kept_and_not_used(tmp_path: Path) -> None:
    """People note what they like beside their data and figures."""
    notes = {"room": ["A", {"floor": 3}]}
    content = changed(PACKAGED, ("figures", "mine"), notes)
    content = changed(content, ("provenance", "converter_data", "notes"), notes)
    assert refusal(tmp_path, content) is None


def test_texts_are_one_line_each(tmp_path: Path) -> None:
    """A label would move the cursor of whoever looks at it."""
    wild = "\x1b[31m\udc80 a\nb" + "x" * 10_000
    content = changed(PACKAGED, ("mode", "labels"), ["a", "b", wild])
    content = changed(content, ("name",), wild)
    assert refusal(tmp_path, content) is None
    manifest = Bundle.open(tmp_path / "bundle").manifest
    assert manifest.mode is not None
    for text in (manifest.name, manifest.mode.labels[2]):
        assert text.isprintable()
        assert len(text) <= 256


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        '{"format": "streamer bundle", "figures": ' + '{"a": ' * 1000 + "1" + "}" * 1001,
        '{"format": "streamer bundle", "version": ' + "9" * 5000 + "}",
        '{"format": "streamer bundle", "name": "\\ud800"}',
    ],
)
def test_a_manifest_without_an_end_is_one_line(tmp_path: Path, text: str) -> None:
    """A traceback of a thousand lines, for a file that somebody else has sent."""
    said = refusal(tmp_path, text)
    assert said is not None
    assert "manifest.json" in said
    assert len(said) < 1500
