"""Names of the recordings in a file, unique in it."""

from collections.abc import Sequence


def names(found: Sequence[str | None], stem: str) -> list[str]:
    """Name recordings.

    Parameters
    ----------
    found : sequence of str or None
        What the file calls them, if it does.
    stem : str
        Of the file: a name for one that has none, with its number if it is not alone.

    Returns
    -------
    list of str
        One that comes again gets a number: ``a``, ``b``, ``a-2``.
    """
    result: list[str] = []
    used: set[str] = set()
    for number, name in enumerate(found, 1):
        plain = name or (stem if len(found) == 1 else f"{stem}-{number}")
        unique, times = plain, 1
        while unique in used:
            times += 1
            unique = f"{plain}-{times}"
        used.add(unique)
        result.append(unique)
    return result
