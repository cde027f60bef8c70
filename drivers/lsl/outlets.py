"""What a session makes of EMG, as LSL streams: audio, estimates, events.

All times are those of the session's clock. Each class is one stream with a stable source_id
and full metadata; pushing never waits for whoever listens.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock
from drivers.errors import SignalMismatchError
from drivers.lsl.description import describe
from drivers.lsl.library import pylsl
from drivers.lsl.sending import Feed
from drivers.source import Channel

_AUDIO_TIME = "acquisition of the EMG that the sample speaks for; the loudspeaker is later"
_ESTIMATES_TIME = "acquisition of the last EMG sample that the estimate rests on"
_EVENTS_TIME = "acquisition of the EMG sample at which it happened"


class AudioOutlet:
    """Speech, as a stream of type ``Audio`` with one float32 channel, full scale 1.

    Parameters
    ----------
    name, source_id : str
        As LSL shows them; `source_id` must be the same tomorrow.
    rate_hz : float
        Sampling rate.
    clock : Clock, optional
        The session's clock.
    """

    def __init__(
        self, name: str, source_id: str, rate_hz: float, *, clock: Clock | None = None
    ) -> None:
        channels = (Channel("speech", "full scale", "Audio"),)
        self._feed = Feed(describe(name, "Audio", source_id, channels, rate_hz, _AUDIO_TIME), clock)

    def push(self, samples: NDArray[np.float32], time_s: float) -> None:
        """Send samples that follow the last ones, or come after a pause.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            Speech.
        time_s : float
            Time of the last one: that of the EMG it speaks for.
        """
        self._feed.push(samples[:, None], time_s)

    def close(self) -> None:
        """Let the last samples go out and take the stream away."""
        self._feed.close()


class EstimatesOutlet:
    """Probabilities, as a stream of type ``Estimates`` with a float32 channel each.

    Parameters
    ----------
    name, source_id : str
        As LSL shows them; `source_id` must be the same tomorrow.
    labels : sequence of str
        What the probabilities are of: ``"mode audible"``, ``"speaker 002"``, ``"speech"``.
    clock : Clock, optional
        The session's clock.
    """

    def __init__(
        self, name: str, source_id: str, labels: Sequence[str], *, clock: Clock | None = None
    ) -> None:
        channels = [Channel(label, "probability", "Estimate") for label in labels]
        stream = describe(
            name, "Estimates", source_id, channels, pylsl.IRREGULAR_RATE, _ESTIMATES_TIME
        )
        self._name = name
        self._channels = len(channels)
        self._feed = Feed(stream, clock)

    def push(self, probabilities: Sequence[float], time_s: float) -> None:
        """Send one set of estimates.

        Parameters
        ----------
        probabilities : sequence of float
            One for each label, NaN for one that is not known.
        time_s : float
            Time of the last EMG sample that they rest on.

        Raises
        ------
        SignalMismatchError
            There are more or fewer of them than labels.
        """
        if len(probabilities) != self._channels:
            raise SignalMismatchError(
                f"estimates for the LSL stream '{self._name}'",
                value=f"{len(probabilities)} probabilities",
                allowed=f"{self._channels}, one for each label",
            )
        self._feed.push(np.asarray([probabilities], np.float32), time_s)

    def close(self) -> None:
        """Let the last samples go out and take the stream away."""
        self._feed.close()


class EventsOutlet:
    """Events, as a stream of type ``Markers`` with one string channel.

    Parameters
    ----------
    name, source_id : str
        As LSL shows them; `source_id` must be the same tomorrow.
    clock : Clock, optional
        The session's clock.
    """

    def __init__(self, name: str, source_id: str, *, clock: Clock | None = None) -> None:
        channels = (Channel("event", "", "Markers"),)
        stream = describe(
            name,
            "Markers",
            source_id,
            channels,
            pylsl.IRREGULAR_RATE,
            _EVENTS_TIME,
            values=pylsl.cf_string,
        )
        self._feed = Feed(stream, clock)

    @property
    def heard(self) -> bool:
        """Somebody listens."""
        return self._feed.heard

    def push(self, event: str, time_s: float) -> None:
        """Send an event.

        Parameters
        ----------
        event : str
            What happened.
        time_s : float
            Time of the EMG sample at which it did.
        """
        self._feed.push([[event]], time_s)

    def close(self) -> None:
        """Let the last events go out and take the stream away."""
        self._feed.close()
