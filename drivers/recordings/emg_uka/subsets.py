"""`Subsets`: which utterances there are, their speaking mode and their split.

Nothing else in the corpus tells mode and split; numbers and blocks do not.
"""

import re
from pathlib import Path
from typing import get_args

from drivers.errors import RecordingError
from drivers.outside.texts import read_text
from drivers.recordings.recording import SpeakingMode, Split

SUBSETS: dict[str, tuple[Split, SpeakingMode]] = {
    f"{split}.{mode}": (split, mode) for split in get_args(Split) for mode in get_args(SpeakingMode)
}
_UTTERANCE = re.compile(r"(?:emg_)?([A-Za-z0-9]+-[A-Za-z0-9]+)-([A-Za-z0-9]+)")
_SESSION = re.compile(r"(?:emg_)?([A-Za-z0-9]+-[A-Za-z0-9]+)")


def parse_utterance(text: str) -> tuple[str, str]:
    """Read an utterance's name, with or without ``emg_`` before it.

    Parameters
    ----------
    text : str
        Such as ``"emg_002-001-0100"``.

    Returns
    -------
    session, utterance : str
        ``"002-001"`` and ``"002-001-0100"``.

    Raises
    ------
    RecordingError
        It is none.
    """
    match = _UTTERANCE.fullmatch(text)
    if match is None:
        raise RecordingError(
            "utterance",
            value=repr(text),
            allowed="speaker-session-number such as 002-001-0100",
        )
    return match[1], f"{match[1]}-{match[2]}"


def is_session(text: str) -> bool:
    """Say whether a text names a session, as utterances can name it: ``"002-001"``."""
    return re.fullmatch(r"[A-Za-z0-9]+-[A-Za-z0-9]+", text) is not None


def parse_subset(text: str, name: str) -> dict[str, tuple[str, ...]]:
    """Read a file of `Subsets`: one line ``emg_<session>: emg_<utterance> ...`` per session.

    Parameters
    ----------
    text : str
        Content of the file; nothing may follow the colon.
    name : str
        The file's name, for the error.

    Returns
    -------
    dict of str to tuple of str
        Utterances by session, each once, in the order of their numbers.

    Raises
    ------
    RecordingError
        A line is no such line.
    """
    utterances: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        head, colon, rest = line.partition(":")
        session = _SESSION.fullmatch(head.strip())
        if session is None or not colon:
            raise RecordingError(
                f"line {number} of {name}",
                value=repr(line[:40]),
                allowed="a session, a colon, its utterances: emg_002-001: emg_002-001-0100 ...",
            )
        of_session = utterances.setdefault(session[1], set())
        for word in rest.split():
            owner, utterance = parse_utterance(word)
            if owner != session[1]:
                raise RecordingError(
                    f"line {number} of {name}",
                    value=word,
                    allowed=f"utterances of session {session[1]}",
                )
            of_session.add(utterance)
    return {session: tuple(sorted(names)) for session, names in utterances.items()}


def read_subsets(root: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Read all files of `Subsets`; one that is missing is empty.

    Parameters
    ----------
    root : Path
        Corpus directory.

    Returns
    -------
    dict of str to dict of str to tuple of str
        Utterances by subset and session, those of sessions not on this disk included.

    Raises
    ------
    RecordingError
        There is no such file, or one utterance is in two of them.
    """
    subsets: dict[str, dict[str, tuple[str, ...]]] = {}
    seen: dict[str, str] = {}
    for subset in SUBSETS:
        path = root / "Subsets" / subset
        if not path.exists():
            continue
        try:
            text = read_text(path, str(path), RecordingError, errors="replace")
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
        subsets[subset] = parse_subset(text, str(path))
        for utterance in (name for names in subsets[subset].values() for name in names):
            if utterance in seen:
                raise RecordingError(
                    f"subset of {utterance} in {root}",
                    value=f"{seen[utterance]} and {subset}",
                    allowed="one",
                )
            seen[utterance] = subset
    if not subsets:
        raise RecordingError(
            f"Subsets of {root}",
            value="none",
            allowed=f"a directory Subsets with {', '.join(SUBSETS)}",
            way_out="copy it from the corpus: nothing else tells speaking mode and split",
        )
    return subsets
