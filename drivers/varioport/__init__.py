"""Becker Meditec Varioport over a serial port, honestly.

Its live protocol is not public. A profile describes how a device frames its samples and
how far that is verified; nothing is sent to a device unless its profile says so.

``profile``
    What a frame looks like, and who has verified it.
``source``
    `VarioportSource`, the driver.
``times``
    When each sample was acquired.
``codec``
    Bytes to samples and back.
``transport``
    Serial port, capture file, and how a lost one comes back.
``emulator``
    A device on a pseudo terminal, with faults on request.
``guess``
    A profile proposed from captured bytes.
"""
