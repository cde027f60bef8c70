"""Directories for what a program keeps for itself: nobody else may put anything there."""

import os
import stat
from pathlib import Path

from drivers.errors import StreamerError


def own_directory(path: Path) -> Path:
    """Make a directory that only this user may read or write, or see that one is so.

    What is kept there is believed when it is read again: whoever else could write there would
    choose what a later run finds.

    Parameters
    ----------
    path : Path
        Folders above it are made, too.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    StreamerError
        It belongs to somebody else, or others may write to it.
    OSError
        It cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = path.stat()
    if not hasattr(os, "geteuid"):  # elsewhere, rights are not in the mode
        return path
    if about.st_uid != os.geteuid():
        raise StreamerError(
            f"directory {path}",
            value="somebody else's",
            allowed="one of your own: what it holds would be believed",
            way_out="name another, or remove it",
        )
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StreamerError(
            f"directory {path}",
            value="others may write to it",
            allowed="only you: what it holds would be believed",
            way_out="remove it, or see what is in it and run: chmod go-w",
        )
    return path
