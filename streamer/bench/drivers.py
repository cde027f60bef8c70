"""Everything between a device and the ring."""

import numpy as np

from drivers.recordings.recording import Recording
from drivers.varioport.profile import load_profile
from streamer.bench.decoding import DAMAGE, GARBAGE, LOST, cost, fuzz
from streamer.bench.device import lost_bytes, replug
from streamer.bench.figure import Figure, Progress
from streamer.bench.schedule import schedule
from streamer.bench.settings import DriversBench
from streamer.bench.ways import ways
from streamer.recordings import RecordingsSettings, Selection


def drivers(settings: DriversBench, progress: Progress) -> list[Figure]:
    """Measure what the drivers promise.

    Parameters
    ----------
    settings : DriversBench
        How much.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        All figures.
    """
    recordings: list[Recording] = list(Selection(RecordingsSettings()).recordings)
    emg_uv = np.concatenate([recording.emg_uv for recording in recordings])
    framed, multiplex = load_profile("framed"), load_profile("multiplex")
    # The int16 of framed reaches one count further down than the uint16 of multiplex.
    held_uv = emg_uv[(emg_uv > emg_uv.min()).all(axis=1)]
    figures = [cost(framed, emg_uv), cost(multiplex, emg_uv)]
    for name, profile, damage in (
        ("fuzz_framed", framed, DAMAGE),
        ("fuzz_multiplex_lost", multiplex, LOST),
        ("fuzz_multiplex_garbage", multiplex, GARBAGE),
    ):
        figures += fuzz(name, profile, held_uv, damage, settings.frames, progress)
    figures += lost_bytes(framed, emg_uv, settings.lossy_s, progress)
    figures += replug(framed, emg_uv, settings.cycles, progress)
    figures += ways((framed, multiplex), progress)
    figures += schedule(settings.replay_s, progress)
    return figures
