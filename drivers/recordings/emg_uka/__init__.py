"""Reader of the EMG-UKA corpus, or of anything laid out like it.

Six channels of facial EMG at 600 Hz, recorded with 16 kHz speech. The channels and the
muscles under them (a unipolar channel's reference is on the nose or behind the ears):

=====  ========================================  ==============
label  muscles                                   derivation
=====  ========================================  ==============
EMG1   anterior belly of the digastric, tongue   unipolar, nose
EMG2   levator anguli oris, zygomaticus major    bipolar
EMG3   levator anguli oris, zygomaticus major    unipolar, ears
EMG4   platysma                                  unipolar, ears
EMG5   platysma, depressor anguli oris           unipolar, ears
EMG6   tongue                                    bipolar
=====  ========================================  ==============

A corpus on disk may hold any of its sessions, and holes. What is damaged is left out of
a series and counted in `EmgUkaCorpus.skipped`; what is missing beside an utterance's
EMG is counted in `EmgUkaCorpus.holes`.
"""

from drivers.recordings.emg_uka.corpus import CHANNELS, EmgUkaCorpus
from drivers.recordings.emg_uka.files import RATE_HZ, UtteranceError
from drivers.recordings.emg_uka.series import Series

__all__ = ["CHANNELS", "RATE_HZ", "EmgUkaCorpus", "Series", "UtteranceError"]
