"""Where EMG comes from: everything that speaks the `Source` contract.

``source``
    The contract: `Chunk`, `Source`, `SourceInfo`, `Health`.
``clock``
    The session's clock, real or stepped.
``replay``
    Recordings played as if they were a device.
``lsl``
    Lab Streaming Layer: a stream in, a source out.
``simulator``
    A generator of EMG with parallel speech.
``recordings``
    Recording files.
``errors``
    What a user can meet.

This is the lowest floor: nothing here imports from ``models`` or ``streamer``.
"""
