"""The texts of a recording, as they stand in a file, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict, cast, get_args

from drivers.errors import RecordingError
from drivers.recordings.recording import Recording, SpeakingMode, Split
from drivers.source import Provenance

KEYS = ("transcript", "mode", "speaker", "session", "split", "provenance", "recorded_at")


class Metadata(TypedDict):
    """The attributes of a `Recording` that are texts, its name apart."""

    transcript: str | None
    mode: SpeakingMode | None
    speaker: str | None
    session: str | None
    split: Split | None
    provenance: Provenance | None
    recorded_at: datetime | None


def texts_of(recording: Recording) -> dict[str, str]:
    """Collect what is known about a recording.

    Parameters
    ----------
    recording : Recording
        Any.

    Returns
    -------
    dict of str to str
        By the names in `KEYS`, without those that are None; the time in ISO 8601.
    """
    texts: dict[str, str] = {}
    for key in KEYS:
        value = getattr(recording, key)
        if value is not None:
            texts[key] = value.isoformat() if isinstance(value, datetime) else str(value)
    return texts


def metadata_from(texts: Mapping[str, str], file: object) -> Metadata:
    """Check what a file says about a recording.

    Parameters
    ----------
    texts : mapping of str to str
        By the names in `KEYS`; others are ignored.
    file : object
        For the error.

    Returns
    -------
    Metadata
        None for what is not there.

    Raises
    ------
    RecordingError
        A mode, split, provenance or time that is none.
    """
    choices = {
        "mode": get_args(SpeakingMode),
        "split": get_args(Split),
        "provenance": tuple(Provenance),
    }
    for key, allowed in choices.items():
        if key in texts and texts[key] not in allowed:
            raise RecordingError(
                f"{key} in {file}", value=repr(texts[key][:40]), allowed=", ".join(allowed)
            )
    try:
        at = datetime.fromisoformat(texts["recorded_at"]) if "recorded_at" in texts else None
    except ValueError as error:
        raise RecordingError(
            f"recorded_at in {file}",
            value=repr(texts["recorded_at"][:40]),
            allowed="a time such as 2026-11-22T15:30:00",
        ) from error
    return Metadata(
        transcript=texts.get("transcript"),
        mode=cast("SpeakingMode | None", texts.get("mode")),
        speaker=texts.get("speaker"),
        session=texts.get("session"),
        split=cast("Split | None", texts.get("split")),
        provenance=Provenance(texts["provenance"]) if "provenance" in texts else None,
        recorded_at=at,
    )
