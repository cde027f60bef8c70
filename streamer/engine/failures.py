"""Warnings and counts of channels that fail."""

import logging
from collections import defaultdict
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
    """Reports which channels fail: in the log as it happens, and in all afterwards.

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
        before, failed = self.failing_numbers, self._failed
        reasons, self._failed = electrodes.reasons.tolist(), tuple(electrodes.failures.tolist())
        self.failing_numbers = tuple(k for k, reason in enumerate(reasons) if reason)
        self.failing = tuple(self._labels[k] for k in self.failing_numbers)
        # It can have been for a moment: then it failed and returned.
        new = [k for k, times in enumerate(self._failed) if times > failed[k]]
        self._warn_of([k for k in new if self._may_warn(k)])
        back = [k for k, reason in enumerate(reasons) if not reason and (k in new or k in before)]
        if back := [k for k in back if self._may_warn(k)]:
            _log.warning("%s again%s", self._named(back, "works", "work"), self._ending(back))

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
                failing=k in self.failing_numbers,
                **asdict(counts),
            )
            for k, (label, counts) in enumerate(
                zip(self._labels, self._electrodes.counts(), strict=True)
            )
        ]

    def problems(self) -> list[str]:
        """Say in a line each what was wrong with which channel."""
        lines, alike = [], defaultdict(list)
        for k, one in enumerate(self.channels()):
            if one.failures:
                alike[one.failures, one.reason, one.failing_s].append(k)
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
        for (failures, reason, failing_s), channels in alike.items():
            times = "" if failures == 1 else f" {failures} times"
            lines.append(
                f"{self._named(channels, 'failed', 'failed')}{times}, for {failing_s:.1f} s in all "
                f"({reason}): the models went on without; look at the electrode"
            )
        return lines

    def _warn_of(self, channels: Sequence[int]) -> None:
        left = len(self._labels) - len(self.failing)
        goes_on = f"the models go on with the other {left}" if left else "no channel is left"
        alike = defaultdict(list)
        for channel in channels:
            alike[int(self._electrodes.last_reasons[channel])].append(channel)
        for reason, some in alike.items():
            failing = f"{self._named(some, 'fails', 'fail')} ({REASONS[reason]})"
            _log.warning("%s: %s%s", failing, goes_on, self._ending(some))

    def _named(self, channels: Sequence[int], does: str, do: str) -> str:
        labels = ", ".join(self._labels[k] for k in channels)
        return f"channel {labels} {does}" if len(channels) == 1 else f"channels {labels} {do}"

    def _may_warn(self, channel: int) -> bool:
        """Count a message about a channel, and say whether it is one too many."""
        self._messages[channel] += 1
        return self._messages[channel] <= _MOST_MESSAGES

    def _ending(self, channels: Sequence[int]) -> str:
        last = any(self._messages[k] == _MOST_MESSAGES for k in channels)
        return "; it is only counted from now on" if last else ""
