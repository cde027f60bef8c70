"""Recording files: every reader returns `Recording`s, which replay and training take.

``recording``
    What a file holds, in memory.
``emg_uka``
    The EMG-UKA corpus.
"""
