"""EMG in chunks to voice and estimates: the threads of a session and what runs on them.

``drive``, ``workers``
    The two threads, which end together.
``reader``, ``watch``, ``ring``
    The source's thread brings chunks to the ring, which drops and counts what is too late,
    and notices what happens to the source.
``channels``
    Which of the source's channels the models get.
``compute``, ``pipeline``, ``epoch``, ``chain``, ``timeline``
    The compute thread: epochs and gaps, and the operators between them.
``gate``, ``saturation``
    Silence at rest; what an amplifier at its limit did.
``estimates``
    Who speaks and how.
``background``
    Everything that must not stand in the voice's way.
``latency``, ``undisturbed``, ``warm_up``
    Where the time went, and how to keep the interpreter out of it.
"""
