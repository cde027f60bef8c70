"""Replay: recordings through the same contract as a device.

``source``
    The source that plays them, on an absolute schedule.
``series``
    What is done to recordings before they are played: a later start, injected gaps.
"""

from drivers.replay.series import GappedRecordings, inject_gaps, parse_gap, skip
from drivers.replay.source import ReplaySource

__all__ = ["GappedRecordings", "ReplaySource", "inject_gaps", "parse_gap", "skip"]
