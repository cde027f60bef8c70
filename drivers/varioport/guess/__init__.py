"""A profile proposed from a capture, for the owner of a device to verify.

``alignment``
    The length of a frame, and where in a damaged stream each frame lies.
``columns``
    What stays, what counts and what checks the rest.
``words``
    What is left: the format of the channels.
``reading``
    All of it together, as a frame.
``proposal``
    `guess_profile`: the profile, the findings and how sure they are.
"""

from drivers.varioport.guess.proposal import Guess, guess_profile

__all__ = ["Guess", "guess_profile"]
