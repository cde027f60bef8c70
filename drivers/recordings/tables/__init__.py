"""CSV and TSV, both ways: one recording as a table that any program and any person reads.

::

    # streamer recording
    # name: 002-001-0100
    # rate_hz: 600.0
    # samples: 2311
    # lead_in_samples: 165
    # channel_types: ["EMG", "EMG"]
    # transcript: HELLO
    time_s,EMG1 [uV],EMG2 [uV],marker
    -0.275,-59.301,-253.572,
    -0.273333333,-59.367,-253.473,
    ...
    0.0,-61.05,-250.338,start

* One line per sample: seconds from the first one (``lead_in_samples`` before it), the
  channels with their units, and, where there are markers, a column of them (several at
  one sample as a JSON list).
* A lost sample is ``nan`` in all channels. Lines left out are lost samples, too.
* Lines with ``#`` hold all else that is known, as ``key: value``: also ``mode``,
  ``speaker``, ``session``, ``split``, ``recorded_at`` (ISO 8601) and ``phones``, a JSON
  list of ``[start_s, end_s, label]``. A text that would be misread is in JSON.
* Numbers have as many digits as bring float32 back exactly.

Tables of others need units: in their column names (``EMG1 [uV]``, ``EMG1 (uV)``,
``EMG1_uV``) or in a line below them; uV, mV, V or nV, other units are no EMG. And they need
regular times, in a column such as ``time_s`` or ``Time [ms]``, or a line ``# rate_hz: 600``.
Columns without a unit are no channels, and named by ``streamer info``. Cells that are empty,
``n/a`` or ``NaN`` are lost. Columns are parted by commas, tabs, or semicolons; with the latter
two, decimal commas are read. The text is UTF-8, or UTF-16 with a byte order mark. Audio is
left out.
"""

from pathlib import Path

from drivers.recordings.format import Format
from drivers.recordings.tables.columns import is_header, is_number
from drivers.recordings.tables.head import MAGIC
from drivers.recordings.tables.lines import COMMENTS, cells_of, encoding_of
from drivers.recordings.tables.read import details, read
from drivers.recordings.tables.write import write

__all__ = ["FORMAT"]


def _is_table(path: Path, head: bytes) -> bool:
    """Look at the text: a name ending in .csv is believed if it is text at all."""
    # the last letter may be cut in two
    text = head.decode(encoding_of(head), errors="replace").rstrip("\N{REPLACEMENT CHARACTER}")
    if text.startswith(MAGIC):
        return True
    if not text or "\0" in text or text.lstrip().startswith(("{", "<")):
        return False
    if path.suffix.lower() in FORMAT.suffixes:
        return True
    lines = [one for one in text.splitlines() if one.strip() and not one.startswith(COMMENTS)]
    return bool(lines) and (is_header(lines[0]) or _has_numbers(lines))


def _has_numbers(lines: list[str]) -> bool:
    """Say whether below a line of names there is one of as many cells, most of them numbers."""
    rows = [cells_of(line) for line in lines[:3]]
    width = len(rows[0])
    return width > 1 and any(
        len(cells) == width and 2 * sum(map(is_number, cells)) >= width for cells in rows[1:]
    )


FORMAT = Format("CSV", (".csv", ".tsv"), _is_table, read, write, details, takes=frozenset({"unit"}))
