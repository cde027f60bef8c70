"""A process that is left in peace."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NICE = -10  # as audio servers run
_SWITCH_S = 0.0005  # at Python's own 5 ms, a busy thread keeps the audio callback waiting


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep interpreter and system from pauses that could be heard.

    Threads hand the interpreter on sooner, garbage collection leaves alone what lives by
    now, and this thread and those it starts get a higher priority where that is allowed.
    All is put back afterwards.
    """
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(OSError):  # not everybody may
        os.setpriority(os.PRIO_PROCESS, 0, min(nice, _NICE))
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        sys.setswitchinterval(switch_s)
