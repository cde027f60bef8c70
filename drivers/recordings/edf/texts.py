"""The annotations through which an EDF file holds what EDF has no field for.

=============================  =====================================================
annotation                     stands for
=============================  =====================================================
``BAD_ACQ_SKIP``, a duration   lost samples; MNE's name, which its tools leave out
``BAD_padding``, a duration    what fills the last data record, no part of the signal
``phone AH``, a duration       a phone
``streamer recording {...}``   name, exact rate and channels, mode, split ... as JSON
``streamer transcript "..."``  a piece of the transcript, as JSON
``streamer marker "..."``      a marker that would be taken for one of these
anything else                  a marker
=============================  =====================================================
"""

from collections.abc import Mapping

from drivers.errors import RecordingError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import parse_json
from drivers.recordings.quoted import is_plain, quote, unquote

LOST = "BAD_ACQ_SKIP"
PADDING = "BAD_padding"
PHONE = "phone "
RECORDING = "streamer recording "
TRANSCRIPT = "streamer transcript "
_MARKER = "streamer marker "
_TAKEN = ("BAD_", PHONE, "streamer ")


def marker_text(label: str) -> str:
    """Write a marker's label as an annotation; what an annotation cannot hold is JSON."""
    taken = label.startswith(_TAKEN) or not is_plain(label)
    return _MARKER + to_json(label, ascii_only=True) if taken else label


def marker_label(text: str) -> str:
    """Read an annotation as a marker, `marker_text` undone."""
    return unquote(text.removeprefix(_MARKER)) if text.startswith(_MARKER) else text


def phone_text(label: str) -> str:
    """Write a phone's label as an annotation."""
    return PHONE + quote(label)


def phone_label(text: str) -> str:
    """Read it, `phone_text` undone."""
    return unquote(text.removeprefix(PHONE))


def recording_text(fields: Mapping[str, object]) -> str:
    """Write what EDF has no field for."""
    return RECORDING + to_json(fields, ascii_only=True)


def recording_fields(text: str) -> dict[str, object]:
    """Read it, an empty dict where it is damaged."""
    try:
        fields = parse_json(text.removeprefix(RECORDING), "annotation", RecordingError)
    except RecordingError:
        return {}
    return fields if isinstance(fields, dict) else {}


def transcript_text(piece: str) -> str:
    """Write a piece of the transcript."""
    return TRANSCRIPT + to_json(piece, ascii_only=True)


def transcript_piece(text: str) -> str:
    """Read it, `transcript_text` undone."""
    return unquote(text.removeprefix(TRANSCRIPT))
