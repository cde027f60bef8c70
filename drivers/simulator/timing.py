"""When each phone and word of synthetic speech begins and ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.errors import StreamerError
from drivers.recordings.recording import Segment
from drivers.simulator.phones import SILENCE, corpus_phones

PhoneEvent = tuple[int, int, str]
"""First sample, position in the text from 0, espeak-ng's mnemonic."""

_STOPS = {("P",), ("B",), ("T",), ("D",), ("K",), ("G",), ("CH",), ("JH",)}
_LONGEST_CLOSURE_S = 0.08
_LONGEST_BURST_S = 0.015
_SHORTEST_PHONE_S = 0.02
_QUIET = 400  # peak to peak of 1 ms; voiced speech reaches some 20000


@dataclass(frozen=True)
class _TimedPhone:
    start: int
    end: int
    text_position: int
    label: str


def timings(
    events: list[PhoneEvent], samples: NDArray[np.int16], rate_hz: int, text: str
) -> tuple[int, int, tuple[Segment, ...], tuple[Segment, ...]]:
    """Turn the synthesiser's events into the alignment of an utterance.

    Parameters
    ----------
    events : list of tuple
        First sample, position in the text from 0 and mnemonic of each phone.
    samples : ndarray of int16, shape (n,)
        What was spoken.
    rate_hz : int
        Sampling rate of `samples`.
    text : str
        Words with one space between them.

    Returns
    -------
    begin, end : int
        First sample of the speech, and the one after the last; silence is outside.
    phones : tuple of Segment
        In the corpus' phone set, from `begin` on, one after the other without holes.
    words : tuple of Segment
        In capitals, from `begin` on; pauses are left out.

    Raises
    ------
    StreamerError
        When nothing was spoken, or a phone that is not known.
    """
    timed = _timed_phones(_with_closures(events, samples, rate_hz), len(samples))
    spoken = [phone for phone in timed if phone.label != SILENCE]
    if not spoken:
        raise StreamerError("text to be spoken", value=repr(text), allowed="English words")
    begin, end = spoken[0].start, spoken[-1].end
    phones = tuple(
        Segment((phone.start - begin) / rate_hz, (phone.end - begin) / rate_hz, phone.label)
        for phone in timed
        if begin <= phone.start < end
    )
    return begin, end, phones, _words(spoken, text, begin, rate_hz)


def _with_closures(
    events: list[PhoneEvent], samples: NDArray[np.int16], rate_hz: int
) -> list[PhoneEvent]:
    """Start stops where the sound stops: the synthesiser often names their burst only."""
    moved = []
    earliest = 0
    for at, position, name in events:
        start = at
        if corpus_phones(name)[:1] in _STOPS:
            earliest = max(earliest, at - int(_LONGEST_CLOSURE_S * rate_hz))
            start -= _quiet_before(samples[earliest:at], rate_hz)
        moved.append((start, position, name))
        earliest = start + int(_SHORTEST_PHONE_S * rate_hz)
    return moved


def _quiet_before(samples: NDArray[np.int16], rate_hz: int) -> int:
    """Count the samples from the start of the last quiet stretch to the end; 0 without one."""
    block = rate_hz // 1000
    n_blocks = len(samples) // block
    blocks = samples[len(samples) - n_blocks * block :].reshape(n_blocks, block)
    quiet = np.ptp(blocks.astype(int), axis=1) < _QUIET
    if not quiet.any():
        return 0
    n_burst = int(np.argmax(quiet[::-1]))
    if n_burst > _LONGEST_BURST_S * 1000:
        return 0
    rest = quiet[: n_blocks - n_burst]
    n_quiet = len(rest) if rest.all() else int(np.argmin(rest[::-1]))
    return (n_burst + n_quiet) * block


def _timed_phones(events: list[PhoneEvent], n_samples: int) -> list[_TimedPhone]:
    """Turn the synthesiser's events into phones that follow each other without holes."""
    labelled = [(at, position, corpus_phones(name)) for at, position, name in events]
    labelled = [entry for entry in labelled if entry[2]]
    ends = [at for at, _, _ in labelled[1:]] + [n_samples]
    timed = []
    for (start, position, labels), end in zip(labelled, ends, strict=True):
        edges = np.linspace(start, end, len(labels) + 1).astype(int)
        timed += [
            _TimedPhone(int(a), int(b), position, label)
            for label, a, b in zip(labels, edges[:-1], edges[1:], strict=True)
            if b > a
        ]
    return timed


def _words(spoken: list[_TimedPhone], text: str, begin: int, rate_hz: int) -> tuple[Segment, ...]:
    """Find the words; espeak-ng speaks some (``of the``) as one, letters divide those."""
    words = text.upper().split()
    of_phone = [len(text[: phone.text_position + 1].split()) - 1 for phone in spoken]
    heads = sorted(set(of_phone))
    segments = []
    for head, following in zip(heads, [*heads[1:], len(words)], strict=True):
        phones = [phone for phone, word in zip(spoken, of_phone, strict=True) if word == head]
        group = words[head:following]
        letters = np.cumsum([0, *(len(word) for word in group)])
        edges = np.round(letters * len(phones) / letters[-1]).astype(int)
        segments += [
            Segment(
                (phones[a].start - begin) / rate_hz, (phones[b - 1].end - begin) / rate_hz, word
            )
            for word, a, b in zip(group, edges[:-1], edges[1:], strict=True)
        ]
    return tuple(segments)
