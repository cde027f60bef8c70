"""Every model runs once before it counts."""

import numpy as np

from drivers.source import Chunk
from models.bundle import Bundle
from streamer.engine.decision import EstimateSettings
from streamer.engine.estimates import Estimator
from streamer.engine.pipeline import Pipeline, PipelineSettings


def warm_up(bundle: Bundle, pipeline: PipelineSettings, estimates: EstimateSettings) -> None:
    """Run all models on noise: compilers and caches must not meet the first frames.

    Parameters
    ----------
    bundle : Bundle
        The models.
    pipeline, estimates : settings
        Of the session that follows.
    """
    signal = bundle.manifest.signal
    engine = Pipeline(bundle, pipeline, estimates.update_ms / 1000)
    estimator = Estimator(bundle, estimates)
    shape = (round(2 * estimates.shortest_s * signal.rate_hz), len(signal.channels))
    noise = np.random.default_rng(0).normal(0, 20, shape).astype(np.float32)
    frame = round(bundle.shift_s * signal.rate_hz)
    for epoch, length in enumerate((len(noise), frame)):  # as a replay runs, and as a device
        for first in range(0, len(noise), length):
            for output in engine.process(Chunk(noise[first : first + length], first, epoch, 0, 0)):
                estimator.push(output, "", 0.0)
        for output in engine.finish():
            estimator.push(output, "", 0.0)
        estimator.end()
