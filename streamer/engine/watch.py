"""What happens to a source while it runs."""

import logging
from collections.abc import Callable, Sequence

from drivers.amplitudes import Amplitudes
from drivers.clock import Clock
from drivers.effective_rate import caution
from drivers.source import Chunk, Source, SourceState

_LOST = (SourceState.STALLED, SourceState.RECONNECTING)
_WORTH_TELLING_S = 1.0  # of a silence
_FIRST_LOOK_S = 2.0  # at amplitudes, and then after twice as long each time

_log = logging.getLogger(__name__)


class Watch:
    """Notices stalls, returns and losses of a source, and tells of them as events.

    All methods run on the thread that reads the source; the attributes can be read from any.

    Parameters
    ----------
    source : Source
        Open.
    tell : sequence of callable
        Each takes what happened, for people, and when, on the session's clock.
    clock : Clock, optional
        The session's; None where time is virtual: then it stands at the latest chunk.
    underruns : callable, optional
        Counts the holes in the loudspeaker's sound.
    failing : callable, optional
        Names the channels that fail.

    Attributes
    ----------
    stalls : int
        Times that the source fell silent.
    silent_s : float
        How long it has been so; 0 while it sends.
    estimated : bool
        Some of the losses are inferred from time stamps.
    """

    def __init__(
        self,
        source: Source,
        tell: Sequence[Callable[[str, float], None]],
        clock: Clock | None = None,
        underruns: Callable[[], int] = lambda: 0,
        failing: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self.stalls = 0
        self.silent_s = 0.0
        self.estimated = False
        self._source = source
        self._listeners = tell
        self._clock = clock
        self._count_underruns = underruns
        self._underruns = underruns()
        self._name_failing = failing
        self._failing: tuple[str, ...] = ()
        channels = source.info.channels
        self._emg = [k for k, channel in enumerate(channels) if channel.type == "EMG"]
        labels = [channels[k].label for k in self._emg]
        self._amplitudes = Amplitudes(labels, source.info.rate_hz)
        self._implausible: list[str] = []
        self._samples, self._look_at = 0, _FIRST_LOOK_S * source.info.rate_hz
        self._state = source.health.state
        self._reconnects = source.health.reconnects
        self._rate_hz = source.info.rate_hz
        self._heard_s = 0.0 if clock is None else clock.now_s()
        self._warned = 0  # of the source's problems
        self._warned_of_rate = False

    def look(self, chunk: Chunk | None) -> None:
        """Take note of what a `read` gave, and of the state it left the source in."""
        now_s = self._now_s(chunk)
        if chunk is not None:
            self._heard_s = now_s
            self._take(chunk)
        health = self._source.health
        if health.state is not self._state:
            self.stalls += health.state is SourceState.STALLED
            self._report(f"source {health.state.value}", now_s)
            self._state = health.state
        self.silent_s = now_s - self._heard_s if health.state in _LOST else 0.0
        self._warn_of_source(now_s)
        underruns = self._count_underruns()
        if underruns > self._underruns:
            self._report(f"underruns {underruns}", now_s)
            self._underruns = underruns
        failing = tuple(self._name_failing())
        if failing != self._failing:
            self._tell_failing(failing, now_s)

    def _warn_of_source(self, now_s: float) -> None:
        """Say at once, and once, what the source itself says is wrong."""
        new = self._source.health.problems[self._warned :]
        self._warned += len(new)
        rate = self._other_rate()
        if rate and not self._warned_of_rate:
            self._warned_of_rate = True
            new = [*new, *rate]
            self._report(f"samples at {self._source.health.effective_rate_hz:.4g} Hz", now_s)
        for line in new:
            _log.warning("%s", line)

    def _other_rate(self) -> list[str]:
        """Say that samples come at another rate than the source declares."""
        info, rate_hz = self._source.info, self._source.health.effective_rate_hz
        return [] if rate_hz is None else [caution(f"'{info.name}'", rate_hz, info.rate_hz)]

    def finish(self) -> None:
        """Look at the amplitudes of all that came so far."""
        first = not self._implausible
        self._implausible = self._amplitudes.cautions(self._source.info.name)
        for line in self._implausible if first else ():
            _log.warning("%s", line)

    def problems(self) -> list[str]:
        """Say in a line each what the source lost, and when it was not there."""
        health = self._source.health
        lines = [*self._implausible, *health.problems, *self._other_rate()]
        if health.reconnects:
            times = "once" if health.reconnects == 1 else f"{health.reconnects} times"
            lines.append(f"the source was lost {times} and came back")
        if health.lost_samples:
            of = health.samples + health.lost_samples
            gaps = "1 gap" if health.gaps == 1 else f"{health.gaps} gaps"
            lines.append(
                f"the source lost {'about ' if self.estimated else ''}{health.lost_samples} of "
                f"{of} samples ({100 * health.lost_samples / of:.3g} %) in {gaps}"
            )
        if self.silent_s >= _WORTH_TELLING_S:
            lines.append(f"no EMG from the source for {self.silent_s:.0f} s")
        skipped = health.extra.get("skipped_bytes", 0)
        if skipped and not health.samples:
            lines.append(
                f"{skipped} bytes came and none of them fits the profile: store some with `streamer"
                " capture`, and let `streamer profile guess` look at them"
            )
        return lines

    def _take(self, chunk: Chunk) -> None:
        samples = chunk.samples
        self._amplitudes.add(
            samples if len(self._emg) == samples.shape[1] else samples[:, self._emg]
        )
        self._samples += len(samples)
        if self._samples >= self._look_at:
            self._look_at *= 2
            self.finish()
        first_s = chunk.time_s - (len(chunk.samples) - 1) / self._rate_hz
        reconnects = self._source.health.reconnects
        if reconnects > self._reconnects:
            self._report(f"reconnected, epoch {chunk.epoch}", first_s)
            self._reconnects = reconnects
        if chunk.gap_before:
            self._report(f"lost {chunk.gap_before} samples", first_s)
            self.estimated |= chunk.gap_estimated

    def _tell_failing(self, failing: tuple[str, ...], now_s: float) -> None:
        before, self._failing = self._failing, failing
        for label in failing:
            if label not in before:
                self._report(f"channel {label} fails", now_s)
        for label in before:
            if label not in failing:
                self._report(f"channel {label} works again", now_s)

    def _report(self, label: str, time_s: float) -> None:
        for listener in self._listeners:
            listener(label, time_s)

    def _now_s(self, chunk: Chunk | None) -> float:
        if self._clock is not None:
            return self._clock.now_s()
        return self._heard_s if chunk is None else chunk.time_s
