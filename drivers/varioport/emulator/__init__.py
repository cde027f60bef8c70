"""A device that is not there, for tests, benches and demonstrations.

``device``
    Any source as a Varioport.
``pty``
    Its port.
``faults``
    What goes wrong between it and this host.
"""

from drivers.varioport.emulator.device import PULSE_S, Emulator

__all__ = ["PULSE_S", "Emulator"]
