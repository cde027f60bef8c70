"""Texts that others have written: labels, names of streams and files, markers.

A function for each use: `clean` where such a text enters, `shown` where it goes into a line for a
person, `printable` for a whole line, `file_name` where it becomes part of a file's name.
"""

import unicodedata

MOST_LETTERS = 256
"""The longest name that is kept; longer ones are cut where they enter."""

_SHOWN = 400
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # letters of some scripts need them
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_FILE_BYTES = 200  # of the 255 that a file's name may have


def clean(text: str, most: int = MOST_LETTERS) -> str:
    """Make a text that came from outside safe to keep.

    Parameters
    ----------
    text : str
        Anything: with escape sequences, NUL, lone surrogates or thousands of letters.
    most : int
        Letters that it may have; the rest is cut off.

    Returns
    -------
    str
        One line that can be encoded in UTF-8: white space is a single space each, and what
        cannot be printed is U+FFFD. A clean text comes back as it is.
    """
    # before the work, not after it: a text may have millions of letters
    return printable(" ".join(text[: 4 * most].split())[:most].rstrip())


def printable(line: str) -> str:
    """Make a line safe for a terminal, and leave its spaces and its length as they are.

    Parameters
    ----------
    line : str
        With texts from outside in it.

    Returns
    -------
    str
        What cannot be printed, a line feed among it, is U+FFFD.
    """
    if line.isascii() and line.isprintable():
        return line
    return "".join(letter if _is_letter(letter) else _UNKNOWN for letter in line)


def shown(text: object, most: int = _SHOWN) -> str:
    """Put something that came from outside into a line for a person.

    Parameters
    ----------
    text : object
        Shown as ``str`` has it.
    most : int
        Letters of the line.

    Returns
    -------
    str
        As `clean` returns it, with the middle left out where it is too long.
    """
    whole = str(text)
    if len(whole) > 8 * most:
        whole = whole[: 4 * most] + whole[-4 * most :]
    line = clean(whole, 8 * most)
    if len(line) <= most:
        return line
    end = most // 4
    return f"{line[: most - end - 5]} ... {line[-end:]}"


def file_name(text: str) -> str:
    """Return a name that a file can have on any system.

    Parameters
    ----------
    text : str
        Such as an utterance's name.

    Returns
    -------
    str
        Letters and digits of any script, and ``-_.``; what else there is becomes ``_``. It
        does not begin with a dot and is never empty.
    """
    plain = "".join(
        one if one.isalnum() or one in "-_." else "_"
        for one in unicodedata.normalize("NFC", clean(text))
    ).lstrip(".")
    while len(plain.encode()) > _FILE_BYTES:
        plain = plain[:-1]
    return plain.rstrip(".") or "_"


def _is_letter(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS
