"""The gate: silence at rest."""

import numpy as np
from pydantic import Field

from drivers.outside.settings import Settings
from models.signal.operator import Array


class GateSettings(Settings):
    """When the voice is heard."""

    enabled: bool = Field(default=True, description="Silence the voice at rest")
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Probability of speech that opens the gate; null is the bundle's own",
    )
    attenuation_db: float = Field(default=40.0, ge=0, le=200, description="Attenuation at rest")
    attack_ms: float = Field(default=20.0, ge=0, le=10_000, description="Time to open")
    hold_ms: float = Field(
        default=200.0, ge=0, le=10_000, description="Time to stay open after speech"
    )
    release_ms: float = Field(default=100.0, ge=0, le=10_000, description="Time to close")


class Gate:
    """Probability of speech in, gain of the voice out, frame by frame.

    The gain rises linearly to 1 over the attack while there is speech, stays for the hold,
    and falls to the attenuation over the release. An epoch begins at rest.

    Parameters
    ----------
    settings : GateSettings
        When and how fast.
    threshold : float
        Where the settings have none: of the bundle.
    shift_s : float
        From one frame to the next.
    """

    def __init__(self, settings: GateSettings, threshold: float, shift_s: float) -> None:
        self._enabled = settings.enabled
        self._threshold = threshold if settings.threshold is None else settings.threshold
        self._rest = 10 ** (-settings.attenuation_db / 20)
        shift_ms = 1000 * shift_s
        span = 1.0 - self._rest
        self._rise = span * shift_ms / max(settings.attack_ms, shift_ms)
        self._fall = span * shift_ms / max(settings.release_ms, shift_ms)
        self._hold = round(settings.hold_ms / shift_ms)
        self._gain = self._rest
        self._left = 0  # frames of the hold

    def process(self, activity: Array) -> Array:
        """Take the next frames.

        Parameters
        ----------
        activity : ndarray, shape (n,)
            Probability of speech.

        Returns
        -------
        ndarray, shape (n,)
            Gain of each frame, from the attenuation at rest to 1.
        """
        if not self._enabled:
            return np.ones(len(activity))
        gains = []
        for probability in activity.tolist():
            if probability >= self._threshold:
                self._left = self._hold
                self._gain = min(1.0, self._gain + self._rise)
            elif self._left > 0:
                self._left -= 1
                self._gain = min(1.0, self._gain + self._rise)
            else:
                self._gain = max(self._rest, self._gain - self._fall)
            gains.append(self._gain)
        return np.array(gains)

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._gain = self._rest
        self._left = 0
