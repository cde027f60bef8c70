"""What a run leaves: its directory, the files in it, and what it comes to.

``outputs``
    The directory.
``recorder``
    The voice and the estimates, written as they come.
``observer``
    Takes the engine's outputs to the recorder, utterance by utterance.
``sink``, ``live_recording``
    What else gets all that comes of a session; one of these: an XDF file.
``recording``
    Such a file without models.
``markers``
    What markers cut out of a session.
``summary``, ``distortion``
    Counters, results, and the distance from natural speech.
``overview``, ``panels``, ``palette``, ``envelope``
    The run as a picture.
"""
