"""Where EMG comes from: everything that speaks the `Source` contract.

``source``, ``selection``
    The contract: `Chunk`, `Source`, `SourceInfo`, `Health`; a source with some of its channels.
``clock``
    The session's clock, real or stepped.
``replay``
    Recordings played as if they were a device.
``varioport``
    The Varioport on a serial port, its captured bytes, and its emulator.
``lsl``
    Lab Streaming Layer: a stream in, a source out.
``simulator``
    A generator of EMG with parallel speech.
``recordings``
    Recording files.
``units``, ``amplitudes``
    What is EMG and in which unit, and whether its amplitudes are plausible.
``stamps``, ``timeline``, ``arrival``, ``effective_rate``
    From time stamps to sample numbers and losses, and the rate at which samples really come.
``reconnect``
    When a silent source is stalled, and how long to wait before the next attempt.
``outside``
    Texts, names, JSON and settings that others have written.
``errors``
    What a user can meet.

This is the lowest floor: nothing here imports from ``models`` or ``streamer``.
"""
