"""Errors of the fundamental frequency."""

import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from models.evaluation.metrics.pitch import pitch_errors


def test_a_semitone_is_a_hundred_cents_where_both_are_voiced() -> None:
    """Unvoiced frames, which have no F0, would count."""
    reference = np.array([100.0, 200.0, 0.0, 100.0])
    f0 = np.array([100 * 2 ** (1 / 12), 200 * 2 ** (-1 / 12), 400.0, 0.0])
    found = pitch_errors(f0, [1, 1, 1, 0], reference, [1, 1, 0, 1])
    assert found.rmse_cents == pytest.approx(100)
    assert found.both_voiced_frames == 2
    assert found.voicing_error == 0.5


def test_whispered_speech_has_no_f0_error() -> None:
    """A mean over nothing would be a warning or a NaN."""
    assert pitch_errors([100.0], [True], [0.0], [False]).rmse_cents is None


def test_other_lengths_are_refused() -> None:
    """Frames that do not belong together would be compared."""
    with pytest.raises(SignalMismatchError, match="F0 and voicing"):
        pitch_errors([100.0], [True], [0.0, 0.0], [False, False])
