"""Our files as another implementation reads them: libxdf, in C++, of SigViewer.

It needs a compiler and libxdf-dev, which Debian has. What it is not used for: files that
are cut or damaged, and streams with a rate but without samples; it crashes on those.
"""

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from drivers.recordings.xdf import FORMAT, SourceXdf
from drivers.source import Channel, Chunk, Marker, Provenance, SourceInfo

pytestmark = pytest.mark.system

CHANNELS = tuple(Channel(f"EMG{k + 1}") for k in range(6))
INFO = SourceInfo("device", "device-7", CHANNELS, 600.0, Provenance.SIMULATED)


@pytest.fixture(scope="module")
def libxdf(tmp_path_factory):
    """Return what libxdf reads from a file: by kind and stream, the lines' other fields."""
    compiler = shutil.which("c++")
    binary = tmp_path_factory.mktemp("libxdf") / "libxdf_check"
    if compiler is None:
        pytest.skip("no C++ compiler")
    if not any(Path(root, "xdf.h").exists() for root in ("/usr/include", "/usr/local/include")):
        pytest.skip("no libxdf: install libxdf-dev")
    source = Path(__file__).parent / "libxdf_check.cpp"
    subprocess.run([compiler, "-O1", source, "-lxdf", "-o", binary], check=True)

    def read(path):
        done = subprocess.run([binary, path], capture_output=True, text=True, check=True)
        found = defaultdict(list)
        for line in done.stdout.split("\n")[:-1]:
            kind, stream, *rest = line.split("\t")
            found[kind, int(stream)].append(rest)
        return found

    return read


def test_a_session(libxdf, tmp_path):
    """Samples, times, markers and descriptions are not what only we call so."""
    rng = np.random.default_rng(0)
    emg = rng.standard_normal((6000, 6)).astype(np.float32)
    path = tmp_path / "a.xdf"
    with SourceXdf(path, INFO) as xdf:
        for first in range(0, 6000, 60):
            index = first if first < 3000 else first + 12
            xdf.take(
                Chunk(
                    emg[first : first + 60],
                    0,
                    index,
                    50 + (index + 59) / 600,
                    0.0,
                    markers=(Marker(index + 1, f"ä {first}"),),
                ),
                -7.5,
            )
            xdf.audio(np.full(1600, first / 6000, np.float32), 50 + first / 600)
            xdf.estimates([first / 8, 0.5], ["a", "b"], 50 + first / 600)
    found = libxdf(path)
    assert [found["stream", k][0][:5] for k in range(5)] == [
        ["device", "EMG", "6", "600", "float32"],
        ["device markers", "Markers", "1", "0", "string"],
        ["device log", "Markers", "1", "0", "string"],
        ["device voice", "Audio", "1", "16000", "int16"],
        ["device estimates", "Estimates", "2", "0", "double64"],
    ]
    assert [found["stream", k][0][5] for k in range(5)] == ["6000", "100", "2", "160000", "100"]
    assert found["channel", 0] == [[f"EMG{k}", "microvolts", "EMG"] for k in range(1, 7)]
    values = np.array(found["value", 0], np.float32).reshape(6, 6000).T
    np.testing.assert_array_equal(values, emg)
    index = np.arange(6000)
    index[3000:] += 12
    times_s = np.array(found["time", 0], float)[:, 0]
    np.testing.assert_allclose(times_s, 50 + index / 600, rtol=0, atol=1e-9)
    assert [text for _, text in found["event", 1]] == [f"ä {k}" for k in range(0, 6000, 60)]
    marked_s = [float(time_s) for time_s, _ in found["event", 1]]
    np.testing.assert_allclose(marked_s, times_s[1::60], rtol=0, atol=1e-9)
    assert [text for _, text in found["event", 2]] == ["epoch 0 from sample 0", "lost 12 samples"]
    voice = np.array(found["value", 3], float)[:, 0]
    np.testing.assert_array_equal(voice, np.rint(np.repeat(np.arange(100) / 100, 1600) * 32767))
    estimates = np.array(found["value", 4], float).reshape(2, 100)
    np.testing.assert_array_equal(estimates, [np.arange(100) * 7.5, np.full(100, 0.5)])


def test_a_conversion(libxdf, tmp_path, make_recording):
    """A corpus in XDF opens elsewhere."""
    speech = np.linspace(-1, 1, 4000, dtype=np.float32)
    series = [
        make_recording(900, name=name, lead_in_uv=np.ones((30, 2), np.float32), first=7.0)
        for name in ("a", "b")
    ]
    series.append(make_recording(1200, name="c", audio=speech, audio_rate_hz=8000.0))
    path = tmp_path / "a.xdf"
    FORMAT.write(path, series)
    found = libxdf(path)
    kinds = [found["stream", k][0][1] for k in range(5)]
    assert kinds == ["EMG", "Markers", "Markers", "EMG", "Audio"]
    values = np.array(found["value", 0], np.float32).reshape(2, 3000).T
    np.testing.assert_array_equal(values, np.concatenate([r.emg_uv for r in series]))
    sound = np.array(found["value", 4], np.float32)[:, 0]
    np.testing.assert_array_equal(sound, speech)
    begins = [float(t) for t, text in found["event", 2] if text.startswith("epoch")]
    assert found["time", 0][0] == [f"{begins[0]:.17g}"]
    assert float(found["time", 4][0][0]) == begins[2]
