"""Damaged files: every format gives a clear line or the readable part, never a crash."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.registry import formats, read_recordings, recognise, write_recordings

SUFFIXES = [".edf", ".bdf", ".npz", ".csv", ".tsv"]


def _read_or_refuse(path):
    """Read what can be read: recordings, none if it was refused."""
    refusal = None
    try:
        recordings = list(read_recordings(path))
        form = recognise(path)
        if form.details is not None:
            form.details(path)
    except RecordingError as error:
        refusal = str(error)
    if refusal is not None:
        assert "\n" not in refusal
        assert len(refusal) < 1000
        return []
    for recording in recordings:
        assert recording.emg_uv.shape[1] == len(recording.channels) > 0
        assert recording.emg_uv.dtype == np.float32
        assert recording.emg_uv.nbytes < 1e8
        assert 0 < recording.rate_hz < float("inf")
    return recordings


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_anywhere(suffix, sample_recording, tmp_path):
    """A full disk or a pulled plug cuts a file anywhere; a session must not die of it."""
    path = tmp_path / f"whole{suffix}"
    write_recordings(path, [sample_recording])
    (whole,) = read_recordings(path)
    raw = path.read_bytes()
    rng = random.Random(1)
    longest = 0
    for size in sorted([*range(0, 300, 25), *(rng.randrange(len(raw)) for _ in range(50))]):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(raw[:size])
        for read in _read_or_refuse(cut):
            rows = len(read.emg_uv)
            assert longest <= rows <= len(whole.emg_uv)
            # NaN where samples are lost, and nowhere else
            np.testing.assert_array_equal(read.emg_uv, whole.emg_uv[:rows])
            assert (read.channels, read.rate_hz) == (whole.channels, whole.rate_hz)
            longest = rows
    # an archive has its table of contents at the end: nothing of a cut one can be read
    assert longest == 0 if suffix == ".npz" else longest >= 600


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_with_changed_bytes(suffix, sample_recording, tmp_path):
    """A damaged header must not lead to a crash, nor to an absurd amount of memory."""
    path = tmp_path / f"whole{suffix}"
    write_recordings(path, [sample_recording])
    raw = path.read_bytes()
    rng = random.Random(2)
    read = 0
    for attempt in range(200):
        changed = bytearray(raw)
        # most damage goes where the headers are
        reach = len(raw) if attempt % 4 == 0 else min(len(raw), 1500)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(reach)] = rng.choice([rng.randrange(256), *b"0919-+.e \n,"])
        damaged = tmp_path / f"damaged{suffix}"
        damaged.write_bytes(changed)
        read += bool(_read_or_refuse(damaged))
    assert read < 200
    assert read or suffix == ".npz"  # which has checksums


def _edf(signals="1   ", header="512     ", record="1       ", seconds="1       ", samples=None):
    samples = samples or ["600     "]
    main = "0       " + "X".ljust(160) + "01.01.8500.00.00" + header + " " * 44
    main += record + seconds + signals
    count = len(samples)
    fields = ["EMG".ljust(16), " " * 80, "uV      ", "-1000   ", "1000    "]
    fields += ["-32768  ", "32767   ", " " * 80]
    return (
        main + "".join(f * count for f in fields) + "".join(samples) + " " * 32 * count
    ).encode()


DATA = bytes(1200)
ABSURD = {
    "signals.edf": _edf(signals="9999", header="2560000 ") + DATA,
    "samples.edf": _edf(samples=["99999999"]) + DATA,
    "negative.edf": _edf(samples=["-600    "]) + DATA,
    "records.edf": _edf(record="99999999") + DATA,
    "no_records.edf": _edf(record="0       ") + DATA,
    "endless.edf": _edf(seconds="9e99    ") + DATA,
    "instant.edf": _edf(seconds="1e-300  ") + DATA,
    "zero.edf": _edf(seconds="0       ") + DATA,
    "nothing.edf": _edf(),
    "jump.csv": b"time_s,EMG [uV]\n0,1\n0.001,1\n0.002,1\n9e15,1\n",
    "fast.csv": b"# rate_hz: 1e300\ntime_s,EMG [uV]\n0,1\n0.001,1\n0.002,1\n",
    "lead_in.csv": b"# rate_hz: 600\n# lead_in_samples: 1e18\nEMG [uV]\n0\n1\n",
    "long.csv": b"time_s,EMG [uV]" + b" " * 2**24,
}
SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from drivers.errors import RecordingError
from drivers.recordings.registry import formats, read_recordings
formats()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000,) * 2)
for path in sys.argv[1:]:
    try:
        print(Path(path).name, sum(len(one.emg_uv) for one in read_recordings(path)))
    except RecordingError as error:
        print(Path(path).name, error)
"""


@pytest.mark.system
def test_absurd_claims_do_not_eat_the_memory(tmp_path):
    """Eight characters in a header can ask for terabytes."""
    for name, content in ABSURD.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *(str(tmp_path / name) for name in ABSURD)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ABSURD)
    read = [line.split() for line in lines if len(line.split()) == 2]
    assert read == [["records.edf", "600"], ["no_records.edf", "600"], ["lead_in.csv", "0"]]


def test_every_writer_is_tested_here():
    """A format added later must not escape these tests."""
    suffixes = {s for form in formats() if form.write for s in form.suffixes}
    assert suffixes == {*SUFFIXES, ".xdf"}  # XDF has its own
