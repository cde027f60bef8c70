"""EDF and BDF headers as other programs write them, and as damage leaves them."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.edf import BDF, EDF
from drivers.recordings.format import Choices
from drivers.recordings.registry import details, read_recordings, recognise
from drivers.source import Channel, Marker

RECORDS, SAMPLES = 4, 50
FIELDS = {
    **{"label": 16, "transducer": 80, "unit": 8, "physical_min": 8, "physical_max": 8},
    **{"digital_min": 8, "digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32},
}
SIGNAL = {
    **{"label": b"EMG 1", "unit": b"uV", "physical_min": b"-3276.8", "physical_max": b"3276.7"},
    **{"digital_min": b"-32768", "digital_max": b"32767", "samples": b"50"},
}
ANNOTATIONS = SIGNAL | {"label": b"EDF Annotations", "unit": b"", "samples": b"20"}


@dataclass
class Written:
    """A file; every field is written as it is given, filled with blanks."""

    signals: list[dict[str, bytes]] = field(default_factory=lambda: [dict(SIGNAL)])
    head: dict[str, bytes] = field(default_factory=dict)
    texts: list[bytes] = field(default_factory=list)  # of the annotations, for each record
    cut: int = 0
    behind: bytes = b""
    width: int = 2

    def save(self, path: Path) -> Path:
        count = len(self.signals)
        head = {
            "version": b"0" if self.width == 2 else b"\xffBIOSEMI",
            **{"patient": b"X X X X", "recording": b"", "date": b"02.05.24", "time": b"10.11.12"},
            **{"bytes": b"%d" % (256 * (count + 1)), "reserved": b"", "records": b"%d" % RECORDS},
            **{"record_s": b"0.5", "signals": b"%d" % count},
        } | self.head
        widths = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
        content = b"".join(
            text.ljust(width)[:width] for text, width in zip(head.values(), widths, strict=True)
        )
        for name, width in FIELDS.items():
            content += b"".join(one.get(name, b"").ljust(width)[:width] for one in self.signals)
        for record in range(RECORDS):
            for one in self.signals:
                if b"nnotations" in one["label"].lower():
                    text = self.texts[record] if self.texts else b""
                    content += text.ljust(self.width * int(one["samples"]), b"\0")
                    continue
                size = int(one.get("there", b"50"))
                for count in range(record * size, (record + 1) * size):
                    content += count.to_bytes(self.width, "little")
        path.write_bytes(content[: len(content) - self.cut] + self.behind)
        return path


def _read(path, **choices):
    (recording,) = read_recordings(path, Choices(**choices))
    return recording


def _counts(recording):
    """Undo the scale of the file that nothing was changed in."""
    return np.round(recording.emg_uv[:, 0] / 0.1).astype(int).tolist()


def _signal(**changes):
    return Written([SIGNAL | changes])


SPELLINGS = {
    "NUL": _signal(label=b"EMG 1".ljust(16, b"\0"), unit=b"uV\0\0\0\0\0\0"),
    "NUL and rubbish": _signal(label=b"EMG 1\0garbage", unit=b"uV\0xx"),
    "tab": _signal(label=b"\tEMG 1\t", unit=b"uV\t\t\t\t\t\t", samples=b"50\t"),
    "leading blanks": _signal(label=b"  EMG 1", unit=b"  uV", samples=b"  50"),
    "Latin-1": _signal(unit=b"\xb5V", label=b"EMG 1\xa0"),
    "UTF-8": _signal(unit="\N{MICRO SIGN}V".encode()),
    "decimal comma": _signal(physical_min=b"-3276,8", physical_max=b"3276,7"),
    "exponent": _signal(digital_min=b"-32768e0", digital_max=b"+32767E0", samples=b"5e1"),
    "plus and point": _signal(digital_max=b"+32767.0", samples=b"+50", digital_min=b"-32768."),
    "record length": Written(head={"record_s": b"0,5"}),
    "version": Written(head={"version": b"0      \xa0"}),
    "version of NUL": Written(head={"version": b"0" + bytes(7)}),
    "no version": Written(head={"version": b""}),
    "header bytes": Written(head={"bytes": b"256"}),
    "no header bytes": Written(head={"bytes": b""}),
    "date": Written(head={"date": b"99.99.99", "time": b"aa.bb.cc"}),
    "no date": Written(head={"date": bytes(8), "time": bytes(8)}),
    "NUL behind counts": Written(head={"records": b"4\0\0\0", "signals": b"1\0\0\0"}),
    "no samples of annotations": Written(
        [SIGNAL, ANNOTATIONS | {"samples": b"0"}], head={"reserved": b"EDF+C"}
    ),
    "lower-case annotations": Written(
        [ANNOTATIONS | {"label": b"edf annotations"}, SIGNAL], head={"reserved": b"edf+c\0"}
    ),
    "annotations in plain EDF": Written([SIGNAL, ANNOTATIONS]),
    "BDF": Written(width=3, signals=[SIGNAL | {"label": b"EMG 1\0"}], head={"reserved": b"24BIT"}),
    "BDF+": Written(
        [SIGNAL, ANNOTATIONS | {"label": b"BDF Annotations"}], {"reserved": b"BDF+C"}, width=3
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_a_header(spelling, tmp_path):
    """What other programs read must not be damaged here, nor lose its unit."""
    path = SPELLINGS[spelling].save(tmp_path / "a.edf")
    assert recognise(path) is (BDF if "BDF" in spelling else EDF)
    recording = _read(path)
    assert recording.channels == (Channel("EMG 1"),)
    assert recording.rate_hz == 100
    assert _counts(recording) == list(range(RECORDS * SAMPLES))
    assert recording.markers == recording.notes == ()


@pytest.mark.parametrize("claimed", [b"2", b"0", b"-1", b"", b"many", b"9e99"])
def test_the_size_says_how_many_data_records_there_are(claimed, tmp_path):
    """Half of a recording was lost where the recorder had never written the number."""
    path = Written(head={"records": claimed}).save(tmp_path / "a.edf")
    recording = _read(path)
    assert _counts(recording) == list(range(RECORDS * SAMPLES))
    (note,) = recording.notes
    assert "holds 4 data records, and all are read" in note


def test_fewer_data_records_than_claimed_and_half_a_one(tmp_path):
    """What the disk had no place for is missed, and said to be."""
    path = Written(cut=30).save(tmp_path / "a.edf")
    assert _counts(_read(path)) == list(range(3 * SAMPLES))
    assert details(path) == {
        "kind": "EDF",
        "resolution": "0.1 uV or finer",
        "truncated": "3 of 4 data records are there",
        "behind the last data record": "70 bytes that are not read",
    }


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            Written([ANNOTATIONS], {"reserved": b"EDF+C", "record_s": b"0"}),
            "got none; allowed",
        ),
        (Written(head={"record_s": b"0"}), "length of a data record .* got 0 s; .* rates follow"),
        (Written(head={"record_s": b"1e300"}), "length of a data record"),
        (Written(head={"record_s": b"nan"}), "length of a data record"),
        (Written(head={"record_s": b"-1"}), "length of a data record"),
        (Written(head={"record_s": b"1e-6"}), "sampling rate .* 5e.07 Hz; allowed: 1 to 1e.06"),
        (Written(head={"signals": b"0"}), "number of signals .* got 0; allowed: 1 to 9999"),
        (Written(head={"signals": b"9999"}), "for 9999 signals"),
        (Written(head={"signals": b"-2"}), "number of signals"),
        (Written(head={"signals": b"one"}), "number of signals .* a whole number"),
        (Written(head={"bytes": b"256"}, cut=1), "size of the header .* got 256"),
        (_signal(samples=b"0"), "samples per data record .* got 0 in all signals"),
        (Written([SIGNAL] * 1025), "signals .* at 100 Hz: got 1025; allowed: up to 1024"),
        (_signal(samples=b"1e9"), "one data record of 2000000000 bytes"),
        (_signal(samples=b"5.5"), "samples per data record"),
        (_signal(samples=b"-50"), "samples per data record"),
        (_signal(physical_min=b"3276.7"), "none with a scale"),
        (_signal(physical_min=b"nan"), "none with a scale"),
        (_signal(physical_max=b"1e300"), "none with a scale"),
        (_signal(physical_max=b""), "none with a scale"),
        (_signal(digital_min=b"32767"), "none with a scale"),
        (_signal(digital_min=b"32767", digital_max=b"-32768"), "none with a scale"),
        (Written([SIGNAL, ANNOTATIONS], {"reserved": b"EDF+D"}), "times of the data records"),
        (Written(head={"reserved": b"EDF+D"}), "times of the data records .* got none in it"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(written, message, tmp_path):
    """Each field comes from outside: none of them may end in a traceback, or in gigabytes."""
    path = written.save(tmp_path / "a.edf")
    with pytest.raises(RecordingError, match=message) as caught:
        _read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_resolution_is_that_of_the_emg(tmp_path):
    """A trigger in volts beside it passed for EMG in steps of ten volts."""
    trigger = SIGNAL | {"label": b"TRIG", "unit": b"V"}
    assert details(Written([SIGNAL, trigger]).save(tmp_path / "a.edf"))["resolution"][:3] == "0.1"


def test_a_signal_without_a_scale_does_not_cost_the_others(tmp_path):
    """One broken neighbour made a whole recording unreadable."""
    broken = SIGNAL | {"label": b"broken", "physical_max": b"?"}
    path = Written([broken, SIGNAL]).save(tmp_path / "a.edf")
    assert _read(path).channels == (Channel("EMG 1"),)
    assert details(path)["left out"] == "broken, whose scale is missing"


@pytest.mark.parametrize("unit", [b"", b".V", b"?V", b"%", b"uVolts?", b"\0", b"MV"])
@pytest.mark.parametrize("width", [2, 3])
def test_a_unit_that_is_unknown_is_not_microvolts(unit, width, tmp_path):
    """A guess could be wrong by a factor of a thousand; whoever knows better can say so."""
    path = Written([SIGNAL | {"unit": unit}], width=width).save(tmp_path / "a.edf")
    with pytest.raises(RecordingError, match=r"unit of channel EMG 1 .*recordings\.unit=uV"):
        _read(path)
    assert _counts(_read(path, unit="uV")) == list(range(RECORDS * SAMPLES))
    assert _read(path, unit="mV").emg_uv[3, 0] == pytest.approx(300)
    assert details(path, Choices(unit="uV"))["resolution"] == "0.1 uV or finer"


def test_texts_from_outside_are_cleaned(tmp_path):
    """Escape sequences in a label would reach the terminal."""
    signal = SIGNAL | {"label": b"EMG \x1b[2J\x07"}
    head = {"patient": b"\x1b[31mP X X X", "recording": b"Startdate 02-MAY-2024 S\x07 X X"}
    texts = [b"+%.1f\x14\x14\0+%.1f\x14\x1b]0;x\x07\x14\0" % (k / 2, k / 2) for k in range(4)]
    written = Written([signal, ANNOTATIONS], head | {"reserved": b"EDF+C"}, texts)
    recording = _read(written.save(tmp_path / "a.edf"))
    whole = [c.label for c in recording.channels] + [m.label for m in recording.markers]
    whole += [recording.speaker, recording.session]
    assert all(text.isprintable() for text in whole)
    assert recording.session == "S\N{REPLACEMENT CHARACTER}"


def test_annotations_of_others(tmp_path):
    """A damaged annotation must not cost the others, nor the EMG."""
    texts = [
        b"+0.25\x14\x14\0+0.35\x152\x14spike\x14and slow wave\x14\0",
        b"+0.75\x14\x14\0nonsense\0+1.25\x14\xff\x14\0",
        b"\xff" * 20,
        b"",
    ]
    samples = ANNOTATIONS | {"samples": b"40"}
    written = Written([samples, SIGNAL], {"reserved": b"EDF+C"}, texts)
    recording = _read(written.save(tmp_path / "a.edf"))
    # the first data record begins a quarter of a second behind the header's time
    assert recording.recorded_at == datetime(2024, 5, 2, 10, 11, 12, 250000)  # noqa: DTZ001
    assert recording.markers == (
        Marker(10, "spike"),
        Marker(10, "and slow wave"),
        Marker(100, "\N{REPLACEMENT CHARACTER}"),
    )


TIMES = {  # what the header says, when its records begin, what is lost before each, a note
    "a gap that is said": (b"EDF+D", (0, 0.5, 2.0, 2.5), (0, 0, 100, 0), False),
    "a slow clock": (b"EDF+D", (0, 0.504, 1.008, 1.512), (0, 0, 0, 0), False),
    "a gap on a slow clock": (b"EDF+D", (0, 0.504, 2.008, 2.512), (0, 0, 100, 0), False),
    "a gap that is denied": (b"EDF+C", (0, 0.5, 2.0, 2.5), (0, 0, 100, 0), True),
    "a gap in plain EDF": (b"", (0, 0.5, 61.0, 61.5), (0, 0, 6000, 0), True),
    "rounded times": (b"EDF+C", (0, 0.6, 1.0, 1.6), (0, 0, 0, 0), False),
    "no times": (b"EDF+C", (0, 0, 0, 0), (0, 0, 0, 0), False),
    "times that are set back": (b"EDF+C", (0, 9.0, 1.0, 1.5), (0, 0, 0, 0), False),
}


@pytest.mark.parametrize("case", TIMES)
def test_times_of_data_records_tell_what_was_lost(case, tmp_path):
    """EMG behind a gap that is closed is at a wrong time; a clock that is slow loses nothing."""
    reserved, begins_s, lost, noted = TIMES[case]
    texts = [b"+%g\x14\x14\0" % begin_s for begin_s in begins_s]
    written = Written([SIGNAL, ANNOTATIONS], {"reserved": reserved}, texts)
    recording = _read(written.save(tmp_path / "a.edf"))
    pieces = [[np.nan] * n + list(range(50 * k, 50 * k + 50)) for k, n in enumerate(lost)]
    rows = np.concatenate(pieces)
    np.testing.assert_allclose(recording.emg_uv[:, 0], rows * 0.1, atol=1e-3)
    assert [f"its times have 1: {sum(lost)}" in note for note in recording.notes] == [True] * noted


def test_stretches_that_overlap(tmp_path):
    """Marked as lost a thousand times over, a sample is lost; the others stay."""
    texts = [b"+0\x14\x14\0", *[b"+0.1\x150.2\x14BAD_ACQ_SKIP\x14\0" * 2] * 3]
    samples = ANNOTATIONS | {"samples": b"40"}
    recording = _read(Written([SIGNAL, samples], {}, texts).save(tmp_path / "a.edf"))
    assert np.flatnonzero(np.isnan(recording.emg_uv)).tolist() == list(range(10, 30))
    assert recording.markers == ()


def test_our_own_annotation_that_somebody_forged(tmp_path):
    """It holds JSON, which can be nested ten thousand deep."""
    own = b"streamer recording " + b"[" * 20_000
    texts = [b"+%.1f\x14\x14\0+0\x14%b\x14\0" % (k / 2, own) for k in range(4)]
    samples = ANNOTATIONS | {"samples": b"20000"}
    recording = _read(Written([SIGNAL, samples], {}, texts).save(tmp_path / "a.edf"))
    assert recording.channels == (Channel("EMG 1"),)


@pytest.mark.parametrize("width", [2, 3])
def test_any_byte_may_be_flipped(width, tmp_path):
    """A right reading or one line: never a traceback, never gigabytes."""
    texts = [b"+%.1f\x14\x14\0+0.1\x1510\x14word\x14\0" % (k / 2) for k in range(4)]
    reserved = {"reserved": b"EDF+D" if width == 2 else b"BDF+D"}
    whole = Written([SIGNAL, ANNOTATIONS], reserved, texts, width=width)
    content = whole.save(tmp_path / "a.edf").read_bytes()
    generator = random.Random(1)
    read, refusals = 0, []
    for place in [*range(768), *generator.sample(range(768, len(content)), 60)]:
        changed = bytearray(content)
        changed[place] = generator.choice([0, 9, 32, 43, 45, 48, 57, 101, 255])
        path = tmp_path / "b.edf"
        path.write_bytes(changed)
        try:
            recording = _read(path)
            details(path)
        except RecordingError as error:
            refusals.append(str(error))
            continue
        read += 1
        assert recording.emg_uv.size <= len(content)
    assert read > 400
    assert not any("\n" in line for line in refusals)
