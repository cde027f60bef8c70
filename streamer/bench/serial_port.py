"""What the thread at a serial port costs."""

import os
import time
import tty

from drivers.clock import PerfClock
from drivers.errors import SourceError
from drivers.varioport.transport.port import SerialTransport
from streamer.bench.figure import Figure, Progress

_EVERY_S, _BYTES = 0.002, 40
_PATIENCE_S = 1.0
_STEPS = 10  # of progress


def reading(writes: int, progress: Progress) -> Figure:
    """Send to a terminal in small portions, as a device does, and read them.

    Parameters
    ----------
    writes : int
        How many portions, one every 2 ms.
    progress : callable
        Told how far it is.

    Returns
    -------
    Figure
        CPU time of this process, which sends too, over the time it took; infinite where
        the port fails or loses something.
    """
    try:
        percent = _percent(writes, progress)
    except (OSError, SourceError):
        percent = float("inf")
    about = (
        f"of one core, reading {_BYTES} bytes every {1000 * _EVERY_S:g} ms at a serial port, "
        "sending included"
    )
    return Figure("serial_reader_cpu_percent", percent, "%", 25.0, about)


def _percent(writes: int, progress: Progress) -> float:
    device, end = os.openpty()
    transport = None
    try:
        tty.setraw(end)
        os.set_blocking(device, False)  # where nobody reads, it is full some time
        transport = SerialTransport(os.ttyname(end), 115200)
        transport.open()
        clock, left = PerfClock(), writes * _BYTES
        began_s, busy_s = clock.now_s(), time.process_time()
        for k in range(writes):
            clock.sleep_until(began_s + k * _EVERY_S)
            os.write(device, bytes(_BYTES))
            left -= _next_bytes(transport, 0.0)
            if (k + 1) % max(1, writes // _STEPS) == 0:
                progress("reading a serial port", k + 1, writes)
        while left > 0 and (more := _next_bytes(transport, _PATIENCE_S)):
            left -= more
        percent = 100 * (time.process_time() - busy_s) / (clock.now_s() - began_s)
        return percent if left == 0 else float("inf")
    finally:
        if transport is not None:
            transport.close()
        os.close(end)
        os.close(device)


def _next_bytes(transport: SerialTransport, timeout_s: float) -> int:
    block = transport.read(timeout_s)
    return 0 if block is None else len(block[0])
