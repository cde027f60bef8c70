"""What is said of channels that fail."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from streamer.engine.electrodes import REASONS, ChannelCounts, Electrodes

_log = logging.getLogger(__name__)

_MOST_MESSAGES = 6  # of a channel; a loose contact comes and goes all day


@dataclass(frozen=True)
class ChannelReport(ChannelCounts):
    """What one channel did, for the summary.

    Attributes
    ----------
    label : str
        As the source calls it.
    failing_s : float
        How long the models had to do without it.
    failing : bool
        It fails now.
    """

    label: str
    failing_s: float
    failing: bool


class Failures:
    """Says which channels fail: in the log as it happens, and in all afterwards.

    Parameters
    ----------
    labels : sequence of str
        What the source calls the channels.
    rate_hz : float
        Sampling rate.
    electrodes : Electrodes
        Looks at them.

    Attributes
    ----------
    failing : tuple of str
        Labels of the channels that fail now; replaced as a whole.
    failing_numbers : tuple of int
        Their numbers, from 0.
    """

    def __init__(self, labels: Sequence[str], rate_hz: float, electrodes: Electrodes) -> None:
        self.failing: tuple[str, ...] = ()
        self.failing_numbers: tuple[int, ...] = ()
        self._labels = tuple(labels)
        self._rate_hz = rate_hz
        self._electrodes = electrodes
        self._failed = (0,) * len(self._labels)  # times, so far
        self._state = (b"", b"")
        self._messages = [0] * len(self._labels)

    def look(self) -> None:
        """Take note of what the latest samples changed."""
        electrodes = self._electrodes
        # A tenth of the time of a comparison.
        state = electrodes.reasons.tobytes(), electrodes.failures.tobytes()
        if state == self._state:
            return
        self._state = state
        before, failed = self.failing, self._failed
        reasons, self._failed = electrodes.reasons.tolist(), tuple(electrodes.failures.tolist())
        self.failing_numbers = tuple(k for k, reason in enumerate(reasons) if reason)
        self.failing = tuple(self._labels[k] for k in self.failing_numbers)
        for channel, label in enumerate(self._labels):
            again = self._failed[channel] > failed[channel]  # it can have been for a moment
            if again:
                self._tell(channel, fails=True)
            if (again or label in before) and not reasons[channel]:
                self._tell(channel, fails=False)

    def counters(self) -> dict[str, int]:
        """Return what was counted in all channels together."""
        counts = self._electrodes.counts()
        return {
            "saturated_samples": sum(one.equal_values for one in counts),
            "missing_values": sum(one.missing_values for one in counts),
            "failing_samples": sum(one.failing_samples for one in counts),
            "failures": sum(one.failures for one in counts),
        }

    def channels(self) -> list[ChannelReport]:
        """Return what each channel did."""
        return [
            ChannelReport(
                label=label,
                failing_s=round(counts.failing_samples / self._rate_hz, 6),
                failing=label in self.failing,
                **asdict(counts),
            )
            for label, counts in zip(self._labels, self._electrodes.counts(), strict=True)
        ]

    def problems(self) -> list[str]:
        """Say in a line each what was wrong with which channel."""
        lines = []
        for one in self.channels():
            if one.failures:
                times = "" if one.failures == 1 else f" {one.failures} times"
                lines.append(
                    f"channel {one.label} failed{times}, for {one.failing_s:.1f} s in all "
                    f"({one.reason}): the models went on without it; look at its electrode"
                )
            elif one.equal_values:
                lines.append(
                    f"{one.equal_values} values of channel {one.label} are in runs of equal ones: "
                    "an amplifier at its limit, or a loose electrode"
                )
            if one.missing_values and not one.failing_samples:
                lines.append(
                    f"{one.missing_values} values of channel {one.label} are no numbers: the "
                    "models got the one before"
                )
        return lines

    def _tell(self, channel: int, *, fails: bool) -> None:
        self._messages[channel] += 1
        if self._messages[channel] > _MOST_MESSAGES:
            return
        label = self._labels[channel]
        last = self._messages[channel] == _MOST_MESSAGES
        more = "; this is not said of it again, but counted" if last else ""
        if not fails:
            _log.warning("channel %s works again%s", label, more)
            return
        left = len(self._labels) - len(self.failing)
        goes_on = f"the models go on with the other {left}" if left else "no channel is left"
        _log.warning(
            "channel %s fails (%s): %s%s",
            label,
            REASONS[self._electrodes.last_reasons[channel]],
            goes_on,
            more,
        )
