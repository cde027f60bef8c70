"""EMG in chunks to voice and estimates: what runs on a session's threads.

``reader``, ``watch``, ``ring``
    The source's thread brings chunks to the ring, which drops and counts what is too late,
    and notices what happens to the source.
``pipeline``, ``epoch``, ``chain``, ``timeline``
    The compute thread: epochs and gaps, and the operators between them.
``gate``
    Silence at rest.
``electrodes``, ``failures``
    Channels that fail and return, and the warnings of them.
``estimates``, ``rolling``, ``decision``, ``answers``, ``columns``
    Who speaks and how; one classifier over a sliding window or all speech so far; what is said
    of its probabilities; the same as a row of numbers.
``background``
    Everything that must not stand in the voice's way.
``closing``
    What libraries hold is closed with a deadline.
``latency``, ``undisturbed``
    Where the time went, and how to keep the interpreter out of it.
"""
