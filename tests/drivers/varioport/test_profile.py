"""Profiles: what a laboratory writes down about its device."""

from pathlib import Path

import pytest
import yaml

from drivers.errors import SourceError
from drivers.source import Channel, Provenance
from drivers.varioport.profile import (
    BUILT_IN,
    FRAMED,
    MULTIPLEX,
    Counter,
    Profile,
    ProfileChannel,
    load_profile,
    write_profile,
)

CONFIGS = Path(__file__).resolve().parents[3] / "configs" / "varioport"


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_commented_file_is_the_built_in_profile(name: str):
    """Whoever copies the file starts from what the driver really does."""
    assert load_profile(CONFIGS / f"{name}.yaml") == load_profile(name)


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=BUILT_IN)
def test_nothing_built_in_claims_to_be_proven_and_nothing_is_sent(profile: Profile):
    """No unproven byte reaches a medical device."""
    assert profile.status is Provenance.EMULATOR_ONLY
    assert profile.start == profile.stop == b""


def test_the_built_in_profiles_deliver_the_channels_of_the_corpus():
    """Models trained on the corpus fit the device."""
    assert FRAMED.signal_channels == tuple(Channel(f"EMG{k}") for k in range(1, 7))
    assert MULTIPLEX.signal_channels == FRAMED.signal_channels
    assert (FRAMED.frame_bytes, MULTIPLEX.frame_bytes) == (22, 14)
    assert FRAMED.marker_index == 6


def test_a_written_profile_is_read_again(tmp_path: Path):
    """A guessed profile can be edited and used; what looks like a number stays hex text."""
    guessed = FRAMED.model_copy(
        update={
            "status": Provenance.GUESSED,
            "evidence": "Guessed from a capture: 3 findings, günstig",
            "sync": bytes.fromhex("5555"),
            "start": b"\x00",
            "counter": None,
        }
    )
    file = tmp_path / "mine.yaml"
    write_profile(guessed, file)
    assert load_profile(file) == guessed
    with pytest.raises(SourceError, match="exists already"):
        write_profile(guessed, file)
    with pytest.raises(SourceError, match="No such file"):
        write_profile(guessed, tmp_path / "nowhere" / "mine.yaml")


def _change(tmp_path: Path, **changes: object) -> Path:
    content = yaml.safe_load((CONFIGS / "framed.yaml").read_text())
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(content | changes))
    return file


EMG = {"label": "A"}
MARKER = {"label": "M", "type": "MARKER", "format": "uint8", "unit": ""}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sync": 5555}, r"^sync in profile \S+: got 5555; allowed: hex text in quotes"),
        ({"sync": "a5x"}, r"^sync in profile .* got 'a5x'; allowed: hex text"),
        ({"sync": ""}, "allowed: a framed profile has sync bytes"),
        ({"status": "proven"}, "status in .* got 'proven'; allowed: Input should be"),
        ({"status": "recorded"}, "status in .* got 'recorded'"),
        ({"evidence": ""}, "evidence in"),
        ({"colour": 3}, "colour in profile .* does not exist; allowed: name, status"),
        ({"counter": {"bytes": 3}}, "counter.bytes in .* got 3"),
        ({"counter": {"bytes": 1, "step": 256}}, "a step of 256 never changes a counter"),
        ({"rate_hz": ".nan"}, "rate_hz in"),
        ({"rate_hz": -1}, "rate_hz in .* got -1"),
        ({"baud_rate": 9600}, "a baud_rate of 132000 or more: 22 bytes 600 times a second"),
        ({"channels": []}, "channels in"),
        ({"channels": [EMG, EMG]}, "labels that differ; A is there twice"),
        ({"channels": [EMG | {"gain": 2}]}, "channels.0.gain in .* does not exist; allowed: label"),
        ({"channels": [EMG | {"unit": "mV"}]}, "channel A: EMG has the unit uV, not mV"),
        ({"channels": [EMG | {"scale": 0}]}, "channel A: a scale other than 0"),
        ({"channels": [EMG | {"format": "int12"}]}, "channels.0.format in .* got 'int12'"),
        ({"channels": [MARKER]}, "at least one channel beside the marker"),
        ({"channels": [EMG, MARKER, MARKER | {"label": "N"}]}, "one MARKER channel at the most"),
        ({"channels": [EMG, MARKER | {"offset": 1}]}, "marker M: is taken raw"),
        ({"channels": [EMG, MARKER | {"format": "int8"}]}, "marker M: an unsigned format"),
        ({"framing": "multiplex"}, "a multiplex profile has no sync, counter or checksum"),
        (
            {
                "framing": "multiplex",
                "sync": "",
                "counter": None,
                "checksum": "none",
                "channels": [EMG],
            },
            "a multiplex profile has a MARKER channel",
        ),
        (
            {
                "framing": "multiplex",
                "sync": "",
                "counter": None,
                "checksum": "none",
                "channels": [EMG, MARKER],
            },
            "multiplex channels are int16 or uint16; M is uint8",
        ),
    ],
)
def test_a_mistake_in_a_profile_is_one_clear_line(
    tmp_path: Path, changes: dict[str, object], line: str
):
    """The owner of a device finds what to correct."""
    with pytest.raises(SourceError, match=line) as error:
        load_profile(_change(tmp_path, **changes))
    assert "\n" not in str(error.value)


def test_what_is_missing_is_named(tmp_path: Path):
    """A file without a rate does not run at some rate."""
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nstatus: guessed\nevidence: none\nframing: framed\n")
    with pytest.raises(SourceError, match="rate_hz in profile .* is missing"):
        load_profile(file)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"a: [", b"\xff\xfe\x00", b"a: 2026-02-31\n"])
def test_what_is_no_profile_is_said_to_be_none(tmp_path: Path, content: bytes):
    """Giving the wrong file ends in one line."""
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(SourceError, match="profile .*mine.yaml"):
        load_profile(file)
    with pytest.raises(SourceError, match="profile"):
        load_profile(tmp_path)


def test_an_unknown_name_lists_the_known_ones():
    """A typing mistake is seen at once."""
    with pytest.raises(SourceError, match="framd: got no such file; .* framed, multiplex"):
        load_profile("framd")


def test_profiles_can_be_made_in_code():
    """The guess from a capture makes them."""
    profile = Profile(
        name="mine",
        status=Provenance.GUESSED,
        evidence="test",
        framing="framed",
        rate_hz=250,
        baud_rate=115200,
        byte_order="little",
        sync=b"\xa0",
        counter=Counter(bytes=1),
        channels=(ProfileChannel(label="A", format="int24", scale=0.1), ProfileChannel(label="B")),
        checksum="xor8",
    )
    assert profile.frame_bytes == 1 + 1 + 3 + 2 + 1
