"""Saturated EMG is counted, healthy EMG is not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.engine.saturation import Saturation


def reference(values: list[int]) -> int:
    """Count by run lengths."""
    count, run = 0, 0
    for n, value in enumerate(values):
        run = run + 1 if n and values[n - 1] == value else 1
        if n + 1 == len(values) or values[n + 1] != value:
            count += run if run >= 5 else 0
    return count


@given(
    values=st.lists(st.integers(0, 1), max_size=80),
    cuts=st.lists(st.integers(0, 80), max_size=5),
)
def test_runs_of_five_equal_values_are_counted_however_they_are_cut(
    values: list[int], cuts: list[int]
) -> None:
    """Clipped EMG must show in the summary, whatever the source's chunks are."""
    rows = np.array([values, list(range(len(values)))], dtype=np.float64).T
    saturation = Saturation(2)
    for part in np.split(rows, sorted(cuts)):
        saturation.process(part)
    assert saturation.samples == reference(values)


def test_a_gap_ends_a_run() -> None:
    """Values on both sides of a loss are no run."""
    saturation = Saturation(1)
    saturation.process(np.full((3, 1), 7.0))
    saturation.reset()
    saturation.process(np.full((3, 1), 7.0))
    assert saturation.samples == 0
