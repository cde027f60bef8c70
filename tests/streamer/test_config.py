"""Settings from a file, ``--set`` and flags."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import Config, ConfigError, load_config, write_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def test_flags_overrule_assignments_overrule_file(tmp_path: Path) -> None:
    """A flag on the command line would be ignored."""
    file = tmp_path / "run.yaml"
    file.write_text("audio: {buffer_ms: 50, limit_ms: 300}\nreplay: {speed: 2}\n")
    config = load_config(
        file, ["audio.buffer_ms=60", "replay.speed=max"], {"replay.speed": 1, "bundle": None}
    )
    assert (config.audio.buffer_ms, config.audio.limit_ms, config.replay.speed) == (60, 300, 1)
    assert config.bundle is None


def test_values_are_yaml() -> None:
    """Numbers, booleans, lists and null would arrive as text."""
    config = load_config(
        assignments=[
            "audio.enabled=no",
            "audio.device=null",
            "recordings.utterances=[a, b]",
            "replay.start_s=1e-1",
            "recordings.session='002-001'",
        ]
    )
    assert config.audio.enabled is False
    assert config.audio.device is None
    assert config.recordings.utterances == ("a", "b")
    assert config.replay.start_s == 0.1
    assert config.recordings.session == "002-001"


@pytest.mark.parametrize(
    ("text", "notch"), [("off", "off"), ("'off'", "off"), ("no", "off"), ("50", 50), ("60", 60)]
)
def test_a_notch_is_off_or_at_the_mains(text: str, notch: object, tmp_path: Path) -> None:
    """YAML takes a bare off for a boolean."""
    config = load_config(assignments=[f"train.notch={text}"])
    assert config.train.notch == notch
    write_config(config, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize("text", ["55", "true", "0", "'50'", "null"])
def test_a_notch_elsewhere_is_refused(text: str) -> None:
    """It would cut a hole into the EMG, and leave the hum."""
    with pytest.raises(ConfigError, match=r"'train.notch'.*'off', 50 or 60"):
        load_config(assignments=[f"train.notch={text}"])


@pytest.mark.parametrize(
    ("assignment", "hint"),
    [
        ("audio.bufer_ms=3", "did you mean 'audio.buffer_ms'?"),
        ("sesion.duration_s=3", "did you mean 'session'?"),
        ("buffer_ms=3", "did you mean 'audio.buffer_ms'?"),
        ("pipeline.gate.thresold=1", "did you mean 'pipeline.gate.threshold'?"),
    ],
)
def test_unknown_key_names_the_closest(assignment: str, hint: str) -> None:
    """A typing error would cost a look into the sources."""
    with pytest.raises(ConfigError) as caught:
        load_config(assignments=[assignment])
    line = str(caught.value)
    assert f"'{assignment.partition('=')[0].split('.')[0]}" in line
    assert hint in line
    assert "allowed: " in line


def test_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    """Which of several files is wrong would stay open."""
    file = tmp_path / "mine.yaml"
    file.write_text("audio:\n  volume: 11\n")
    with pytest.raises(ConfigError, match=r"'audio\.volume' in .*mine\.yaml does not exist"):
        load_config(file)


def test_a_number_is_a_name_where_one_is_wanted() -> None:
    """Channels without a label are called 1, 2, 3: nobody could choose them."""
    assignments = ["recordings.channels=[1, 2]", "recordings.stream=1", "live.channels=[3]"]
    config = load_config(assignments=assignments)
    assert config.recordings.channels == ("1", "2")
    assert config.recordings.stream == "1"
    assert config.live.channels == ("3",)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("audio.buffer_ms=-1", "'audio.buffer_ms': got -1; allowed: greater than 0"),
        ("replay.speed=fast", "'replay.speed': got 'fast'; allowed: a valid number or 'max'"),
        ("replay.speed=0", "'replay.speed': got 0"),
        ("audio=3", "allowed: a section with enabled"),
        ("models.speakr=lda", "did you mean 'models.speaker'?"),
        ("train.speakers=[svm]", "'train.speakers': got 'svm'; allowed: 'evidence', "),
        ("train.speakers=[]", "'train.speakers'"),
        ("audio.buffer_ms", "allowed: key.path=value"),
        (".x=3", "allowed: key.path=value"),
    ],
)
def test_wrong_value_is_said_in_one_line(assignment: str, words: str) -> None:
    """A page of validation errors would hide the one wrong number."""
    with pytest.raises(ConfigError) as caught:
        load_config(assignments=[assignment])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [1", "is not YAML"),
        (b"- 1\n", "got a list"),
        (b"\xff\xfe\x00", "no text"),
        (None, "No such file"),
    ],
)
def test_file_that_is_no_configuration(tmp_path: Path, content: bytes | None, words: str) -> None:
    """A wrong file would end in a traceback."""
    file = tmp_path / "broken.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_config(file)


def test_empty_file_and_empty_section_are_defaults(tmp_path: Path) -> None:
    """A file with everything commented out would be refused."""
    file = tmp_path / "empty.yaml"
    file.write_text("# nothing\naudio:\n  # buffer_ms: 3\n")
    assert load_config(file) == Config()


@given(
    speed=st.one_of(st.just("max"), st.floats(0.01, 100)),
    buffer_ms=st.floats(1, 1000),
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
)
def test_written_settings_are_read_again(
    tmp_path_factory: pytest.TempPathFactory, speed: float | str, buffer_ms: float, name: str
) -> None:
    """A run could not be repeated from its ``config.yaml``."""
    config = load_config(
        flags={
            "replay.speed": speed,
            "audio.buffer_ms": buffer_ms,
            "simulate.name": name,
            "bundle": "some/where",
        }
    )
    file = tmp_path_factory.mktemp("run") / "config.yaml"
    write_config(config, file)
    assert load_config(file) == config


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_example_loads(file: Path) -> None:
    """An example in ``configs/`` would not work."""
    load_config(file)


def test_the_live_example_is_what_is_evaluated() -> None:
    """The report's live converter would be another one than the one that is recommended."""
    pytest.importorskip("torch")
    from models.evaluation.latency.points import LIVE

    train = load_config(CONFIGS / "live.yaml").train
    assert train.low_delay  # the experiment trains LIVE on LOW_DELAY features
    assert (train.lead_ms, train.future, train.width) == (LIVE.lead_ms, LIVE.future, LIVE.width)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_configuration_that_nobody_writes_is_refused(tmp_path: Path) -> None:
    """The command would wait for ever, without a word."""
    os.mkfifo(tmp_path / "run.yaml")
    with pytest.raises(ConfigError, match="configuration .*: got a pipe; allowed: a file"):
        load_config(tmp_path / "run.yaml")


@pytest.mark.parametrize(
    ("assignment", "refused"),
    [
        ("live.channels=" + "[" * 10_000, "nesting of value of --set live.channels"),
        ("live.channels=[&a [x], " + "*a, " * 2**17 + "*a]", "entries of value of --set"),
        ("." * 10_000 + "=1", "--set: got"),
        ("a" * 100_000 + "=1", "did you mean|does not exist"),
        ("live.source=" + "x" * 100_000, "key 'live.source'"),
    ],
)
def test_an_endless_assignment_is_one_line(assignment: str, refused: str) -> None:
    """The way out would scroll away above a wall of letters."""
    with pytest.raises(ConfigError, match=refused) as caught:
        load_config(assignments=[assignment])
    assert len(str(caught.value)) < 2500


@pytest.mark.parametrize("key", ["bundle", "recordings.path", "simulate.link", "live.source"])
def test_nul_in_a_text_is_one_line(tmp_path: Path, key: str) -> None:
    """Opening such a file or stream ends in a traceback from the depths of a library."""
    file = tmp_path / "run.yaml"
    file.write_text(": {".join(key.split(".")) + ': "a\\0b"' + "}" * key.count("."))
    with pytest.raises(ConfigError, match=f"key '{key}': got .*; allowed: text without NUL"):
        load_config(file)
