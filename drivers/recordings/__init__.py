"""Recording files: every reader returns `Recording`s, which replay and training take.

``recording``
    What a file holds, in memory.
``registry``
    All formats: `read_recordings` reads any file, recognised by its content,
    `write_recordings` makes a file of the format that its suffix names.
``checked``
    What holds for all of them: bounds, clean names, the channels that are chosen.
``info``
    `describe`: what is in a file.
``format``
    What a format has to offer, and what a person can say of a file.
``emg_uka``, ``xdf``, ``edf``, ``vitaport``, ``npz``, ``tables``
    The formats: the EMG-UKA corpus; Lab Streaming Layer's; EDF and BDF; Vitaport and
    Varioport; numpy's; CSV and TSV.
"""
