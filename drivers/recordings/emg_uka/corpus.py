"""A corpus directory: what it holds, and its utterances as recordings."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.names import clean
from drivers.recordings.emg_uka.cut import Cut, check_cut, marker_cut, parse_offset
from drivers.recordings.emg_uka.files import (
    RATE_HZ,
    UtteranceError,
    UtterancePaths,
    parse_alignment,
    read_audio,
    read_counts,
    read_utterance_text,
)
from drivers.recordings.emg_uka.layout import (
    ALLOWED,
    OTHER_COLUMNS,
    OtherLayout,
    other_layout,
    sessions_on_disk,
)
from drivers.recordings.emg_uka.series import Series, count
from drivers.recordings.emg_uka.sound import (
    SILENT_AUDIO,
    clipped_samples,
    cut_speech,
    is_silent,
    refuse_silence,
)
from drivers.recordings.emg_uka.subsets import (
    SUBSETS,
    parse_utterance,
    read_subsets,
)
from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel, Provenance

SIMULATED = "SIMULATED"
"""File in the root of a corpus that nobody spoke."""

CHANNELS = tuple(Channel(f"EMG{number}") for number in range(1, 7))

_MOST_LETTERS = 4096  # of a transcript


class EmgUkaCorpus:
    """A corpus directory.

    Parameters
    ----------
    root : str or Path
        Directory with ``emg``, ``audio``, ``offset``, ``Alignments``, ``Transcripts``,
        ``Subsets``.
    uv_per_count : float
        Scale of the EMG.

    Attributes
    ----------
    root : Path
        The directory.
    sessions : tuple of str
        Recording sessions with EMG on this disk: ``"002-001"``.
    provenance : Provenance
        Simulated where the root holds a file `SIMULATED`, else recorded.
    skipped : dict of str to list of str
        Utterances left out of a series, by reason.
    holes : dict of str to list of str
        Utterances that lack something beside their EMG, by what they lack:
        ``"no audio"``, ``"no transcript"``, ``"no phones"``, ``"no offset"``...
    clipped : dict of str to int
        Samples of the speech that are at full scale or beyond, by utterance, of those that have
        some and were spoken aloud or whispered.

    Raises
    ------
    RecordingError
        The directory is no corpus, or has no ``Subsets``.
    """

    def __init__(self, root: str | Path, *, uv_per_count: float = 0.033) -> None:
        self.root = Path(root)
        self._uv_per_count = np.float32(uv_per_count)
        # The simulator's corpora have this layout, too; its file says so.
        simulated = (self.root / SIMULATED).exists()
        self.provenance = Provenance.SIMULATED if simulated else Provenance.RECORDED
        self.skipped: dict[str, list[str]] = {}
        self.holes: dict[str, list[str]] = {}
        self.clipped: dict[str, int] = {}
        self.sessions = sessions_on_disk(self.root)
        self._subsets = read_subsets(self.root)
        self._subset_of = {
            utterance: SUBSETS[subset]
            for subset, by_session in self._subsets.items()
            for names in by_session.values()
            for utterance in names
        }

    @cached_property
    def other_layout(self) -> OtherLayout | None:
        """Sessions whose EMG has other columns, and of which nothing can be read."""
        return other_layout(self.root, self.sessions)

    def subsets(self, session: str) -> tuple[str, ...]:
        """Subsets that name utterances of this session, such as ``"train.audible"``."""
        return tuple(
            subset for subset, by_session in self._subsets.items() if by_session.get(session)
        )

    def utterances(self, session: str | None = None, subset: str | None = None) -> tuple[str, ...]:
        """Names of utterances, session by session, subset by subset, in recorded order.

        Parameters
        ----------
        session : str, optional
            ``"002-001"``; default is every session on this disk.
        subset : str, optional
            ``"test.audible"``, or only its half: ``"test"``, ``"audible"``; default all.

        Returns
        -------
        tuple of str
            Such as ``"002-001-0100"``; never empty.

        Raises
        ------
        RecordingError
            No such session, no such subset, or nothing in it.
        """
        if session is not None and session not in self.sessions:
            raise RecordingError(
                f"session of {self.root}", value=session, allowed=", ".join(self.sessions)
            )
        sessions = self.sessions if session is None else (session,)
        chosen = [s for s in SUBSETS if subset in (None, s, *s.split("."))]
        if not chosen:
            halves = dict.fromkeys(half for name in SUBSETS for half in name.split("."))
            raise RecordingError(
                "subset",
                value=subset,
                allowed=f"{', '.join(SUBSETS)}; {' or '.join(halves)} for several of them",
            )
        names = tuple(
            utterance
            for session in sessions
            for one in chosen
            for utterance in self._subsets.get(one, {}).get(session, ())
        )
        if not names:
            there = "; ".join(f"{s} has {', '.join(self.subsets(s)) or 'none'}" for s in sessions)
            raise RecordingError(
                _selection(session, subset),
                value="no utterances",
                way_out=f"choose another: {there}",
            )
        return names

    def recordings(
        self,
        session: str | None = None,
        subset: str | None = None,
        utterance: str | None = None,
    ) -> Iterable[Recording]:
        """Choose recordings; they are read one by one, when they are iterated.

        Parameters
        ----------
        session, subset : str, optional
            As for `utterances`.
        utterance : str, optional
            Only this one; its number is enough where `session` is given.

        Returns
        -------
        iterable of Recording
            A `Series`, or the one recording.

        Raises
        ------
        RecordingError
            As for `utterances`; for a single utterance also as for `recording`.
        """
        if utterance is None:
            return Series(self, self.utterances(session, subset))
        if session is not None and "-" not in utterance:
            utterance = f"{session}-{utterance}"
        _, name = parse_utterance(utterance)
        if session is not None or subset is not None:
            names = self.utterances(session, subset)
            if name not in names:
                raise RecordingError(
                    f"utterance of {_selection(session, subset)}",
                    value=name,
                    allowed=f"{len(names)} utterances, {min(names)} to {max(names)}",
                )
        return (self.recording(name),)

    def recording(self, utterance: str) -> Recording:
        """Read one utterance.

        EMG and audio are cut as the offset file says, or without one from the marker on.

        Parameters
        ----------
        utterance : str
            ``"002-001-0100"``, with or without ``emg_`` before it.

        Returns
        -------
        Recording
            Six channels at 600 Hz; `lead_in_uv` is the EMG before the cut. Without a
            usable WAV `audio` is None, without an alignment `phones` is empty, and mode
            and split are None where no subset names the utterance.

        Raises
        ------
        RecordingError
            No such session or utterance.
        UtteranceError
            Its EMG cannot be used: truncated, of a session with another number of columns, or
            the offsets lie outside of the files.
        """
        session, name = parse_utterance(utterance)
        if session not in self.sessions:
            raise RecordingError(
                f"session of utterance {name} in {self.root}",
                value=session,
                allowed=", ".join(self.sessions),
            )
        paths = UtterancePaths(self.root, name)
        if name not in self._subset_of and not paths.emg.exists():
            names = self.utterances(session)
            raise RecordingError(
                f"utterance of session {session} in {self.root}",
                value=name,
                allowed=f"{len(names)} utterances, {min(names)} to {max(names)}",
            )
        if self.other_layout is not None and session in self.other_layout.sessions:
            raise UtteranceError(
                OTHER_COLUMNS,
                name,
                value=self.other_layout.evidence,
                allowed=ALLOWED,
                way_out="write the session's files again, with these columns alone",
            )
        counts = read_counts(paths.emg, name)
        try:
            audio, audio_rate_hz = read_audio(paths.audio, name)
        except UtteranceError as hole:
            count(self.holes, hole.reason, name)
            audio, audio_rate_hz = None, None
        cut = self._cut(paths, counts, audio, audio_rate_hz)
        check_cut(cut, len(counts), None if audio is None else len(audio), name)
        emg_uv = counts[:, : len(CHANNELS)] * self._uv_per_count
        split, mode = self._subset_of.get(name, (None, None))
        speech = None
        try:
            speech = cut_speech(audio, audio_rate_hz, cut, name)
        except UtteranceError as hole:
            count(self.holes, hole.reason, name)
        if speech is not None and mode in ("audible", "whispered"):
            if is_silent(speech):
                count(self.holes, SILENT_AUDIO, name)
            if clipped := clipped_samples(speech):
                self.clipped[name] = clipped
        return Recording(
            name=name,
            emg_uv=emg_uv[cut.emg_start : cut.emg_end],
            rate_hz=RATE_HZ,
            channels=CHANNELS,
            lead_in_uv=emg_uv[: cut.emg_start],
            audio=speech,
            audio_rate_hz=None if speech is None else audio_rate_hz,
            transcript=self._transcript(paths),
            mode=mode,
            speaker=session.split("-")[0],
            session=session,
            split=split,
            provenance=self.provenance,
            phones=self._phones(paths),
        )

    def refuse_silence(self) -> None:
        """Refuse to learn, if the audio of what was read so far was silent where it must not be.

        Raises
        ------
        RecordingError
            Naming the files.
        """
        names = self.holes.get(SILENT_AUDIO, [])
        refuse_silence([str(UtterancePaths(self.root, name).audio) for name in names])

    def _cut(
        self,
        paths: UtterancePaths,
        counts: NDArray[np.int16],
        audio: NDArray[np.float32] | None,
        audio_rate_hz: float | None,
    ) -> Cut:
        """Find the common part from the offset file, else from the marker."""
        if paths.offset.is_file():
            text = read_utterance_text(paths.offset, "offset unreadable", paths.name)
            return parse_offset(text, paths.name)
        count(self.holes, "no offset", paths.name)
        return marker_cut(counts, audio, audio_rate_hz, paths.name)

    def _transcript(self, paths: UtterancePaths) -> str | None:
        text = ""
        if paths.transcript.is_file():
            try:
                text = read_utterance_text(paths.transcript, "transcript unreadable", paths.name)
            except UtteranceError as hole:
                count(self.holes, hole.reason, paths.name)
                return None
        text = clean(text, _MOST_LETTERS)
        if not text:
            count(self.holes, "no transcript", paths.name)
            return None
        return text

    def _phones(self, paths: UtterancePaths) -> tuple[Segment, ...]:
        reason = "phones unreadable"
        try:
            text = ""
            if paths.phones.is_file():
                text = read_utterance_text(paths.phones, reason, paths.name)
            phones = parse_alignment(text)
        except (UtteranceError, ValueError):
            count(self.holes, reason, paths.name)
            return ()
        if not phones:
            count(self.holes, "no phones", paths.name)
        return phones


def _selection(session: str | None, subset: str | None) -> str:
    return f"subset {subset or '(any)'} of session {session or '(any)'}"
