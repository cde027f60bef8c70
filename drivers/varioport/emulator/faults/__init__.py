"""What can go wrong between a device and this host, on request.

``settings``
    `Faults` and how they are written on a command line.
``line``
    `FaultyLine` does it to bytes, without a clock and without a port; `Injected` is the
    truth that a driver's counters are compared with.
"""

from drivers.varioport.emulator.faults.line import Damaged, FaultyLine, Injected
from drivers.varioport.emulator.faults.settings import Faults, Pause, parse_faults

__all__ = ["Damaged", "Faults", "FaultyLine", "Injected", "Pause", "parse_faults"]
