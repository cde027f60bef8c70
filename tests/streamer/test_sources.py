"""What `--source` names becomes the source that is meant."""

from pathlib import Path

import pytest

from drivers.errors import SourceError, StreamerError
from drivers.lsl import LslSource
from drivers.replay import ReplaySource
from drivers.selection import SelectedChannels
from drivers.source import Provenance
from drivers.varioport.source import VarioportSource
from streamer import sources
from streamer.sources import LiveSettings, live_source


@pytest.mark.parametrize(
    "spec",
    [
        *(
            None,
            "",
            "simulator:",
            "simulator:x",
            "varioport",
            "varioport:",
            "lsl",
            "lsl:",
            "lsl:id=",
        ),
        *("lsl:type=", "capture:", "replay:file", "VARIOPORT:/dev/ttyUSB0"),
    ],
)
def test_what_names_no_source_is_refused(spec: str | None) -> None:
    """A typing error would open another device, or end in a traceback."""
    with pytest.raises(SourceError, match="varioport:PORT, lsl:NAME, lsl:id=ID"):
        live_source(LiveSettings(source=spec))


@pytest.mark.parametrize("kind", ["varioport:/dev/nowhere", "capture:nowhere.capture"])
def test_a_varioport_s_profile_is_known_before_it_starts(kind: str) -> None:
    """Nobody would be told that the protocol is unproven, before trusting the figures."""
    live = live_source(LiveSettings(source=kind, profile="multiplex"))
    assert isinstance(live.source, VarioportSource)
    assert live.remark is not None
    assert live.remark.startswith("profile 'multiplex' is emulator-only: ")
    assert live.selection is None
    with pytest.raises(StreamerError, match="nowhere"):
        live.source.open()


def test_a_profile_of_one_s_own_is_read(tmp_path: Path) -> None:
    """The owner of a device could not use what they found out about it."""
    with pytest.raises(StreamerError, match=r"profile .*mine\.yaml"):
        live_source(LiveSettings(source="varioport:x", profile=str(tmp_path / "mine.yaml")))


@pytest.mark.parametrize(
    ("spec", "name", "source_id", "kind"),
    [
        ("lsl:Varioport", "Varioport", None, "EMG"),
        ("lsl:name=a=b", "a=b", None, "EMG"),
        ("lsl:a=b", "a=b", None, "EMG"),
        ("lsl:id=box-7", None, "box-7", "EMG"),
        ("lsl:type=EEG", None, None, "EEG"),
        ("lsl:a:b", "a:b", None, "EMG"),
    ],
)
def test_a_stream_is_found_by_name_id_or_type(
    spec: str,
    name: str | None,
    source_id: str | None,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a laboratory with five streams the wrong person would be heard."""
    asked: list[tuple[object, ...]] = []

    class Asked(LslSource):
        def __init__(self, name: str | None, **words: object) -> None:
            asked.append((name, words["source_id"], words["stream_type"], words["markers"]))

    monkeypatch.setattr("drivers.lsl.LslSource", Asked)
    assert isinstance(live_source(LiveSettings(source=spec, markers="keys")).source, Asked)
    assert asked == [(name, source_id, kind, "keys")]


def test_the_simulator_is_what_comes_with_the_project() -> None:
    """Simulated people must never pass for recorded ones."""
    live = live_source(LiveSettings(source="simulator"))
    assert isinstance(live.source, ReplaySource)
    with live.source as source:
        assert source.info.provenance is Provenance.SIMULATED
        assert source.info.name == "simulator"
    assert live.selection is not None
    assert live.remark is None


def test_channels_are_chosen_by_label() -> None:
    """A device with more inputs than the bundle's could not be used."""
    live = live_source(LiveSettings(source="simulator", channels=("EMG3", "EMG1")))
    assert isinstance(live.source, SelectedChannels)
    with live.source as source:
        assert [channel.label for channel in source.info.channels] == ["EMG3", "EMG1"]
    assert live.selection is not None


def test_all_kinds_are_in_the_help() -> None:
    """Who reads the help would not find the device's kind."""
    assert all(f"{kind}:" in sources.ALLOWED for kind in sources._KINDS)
