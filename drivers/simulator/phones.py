"""Phones: from espeak-ng's mnemonics to the corpus' phone set, and how each is made.

The phone set is EMG-UKA's (46 with silence). espeak-ng marks what it speaks with its
own mnemonics, some of which stand for two phones of the set (``e@`` as in *square*).
"""

from drivers.errors import StreamerError

SILENCE = "SIL"

# As in Supplementary/phoneList of the corpus.
PHONE_LIST: tuple[str, ...] = (
    *("IY", "IH", "EH", "AE", "IX", "AX", "AH", "UW", "UH", "AO", "AA", "EY", "AY", "OY", "AW"),
    *("OW", "L", "R", "Y", "W", "ER", "AXR", "M", "N", "NG", "CH", "JH", "DH", "B", "D", "G"),
    *("P", "T", "K", "Z", "ZH", "V", "F", "TH", "S", "SH", "HH", "XL", "XM", "XN", SILENCE),
)  # fmt: skip

_STRESS_MARKS = "',%="

# American English of espeak-ng 1.52. An empty entry lengthens the phone before it.
_OF_MNEMONIC: dict[str, tuple[str, ...]] = {
    mnemonic: tuple(phones.split())
    for mnemonic, phones in {
        # vowels
        "i:": "IY", "i": "IY", "I": "IH", "I2": "IX", "I#": "IX", "E": "EH", "E2": "EH",
        "a": "AE", "aa": "AE", "a#": "AX", "@": "AX", "@2": "AX", "@5": "AX", "@-": "AX",
        "V": "AH", "0": "AA", "O2": "AA", "A:": "AA", "A#": "AA", "O:": "AO", "O": "AO",
        "U": "UH", "u:": "UW", "u": "UW", "3": "AXR", "3:": "ER",
        # diphthongs, and vowels with their r
        "eI": "EY", "aI": "AY", "OI": "OY", "aU": "AW", "oU": "OW",
        "A@": "AA R", "O@": "AO R", "o@": "AO R", "e@": "EH R", "U@": "UH R", "i@": "IY AX",
        "i@3": "IH AXR", "I@": "IH R", "aI@": "AY AX", "aI3": "AY AXR", "aU@": "AW AXR",
        "IR": "IH R", "VR": "AH R",
        # consonants
        "p": "P", "b": "B", "t": "T", "t#": "D", "t2": "T", "d": "D", "k": "K", "g": "G",
        "tS": "CH", "dZ": "JH", "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S", "z": "Z",
        "S": "SH", "Z": "ZH", "h": "HH", "m": "M", "n": "N", "N": "NG", "l": "L", "r": "R",
        "r-": "R", "w": "W", "j": "Y", "@L": "XL", "m-": "XM", "n-": "XN",
        # pauses, glottal stop, and marks that change the phone before them
        "_": SILENCE, "_:": SILENCE, "_!": SILENCE, "?": SILENCE, ";": "", "": "",
    }.items()
}  # fmt: skip


def corpus_phones(mnemonic: str) -> tuple[str, ...]:
    """Translate an espeak-ng mnemonic into the corpus' phones.

    Parameters
    ----------
    mnemonic : str
        As in a phoneme event, with or without stress marks.

    Returns
    -------
    tuple of str
        One phone or two of equal length; none where the mnemonic only lengthens the
        phone before it.

    Raises
    ------
    StreamerError
        For a mnemonic that American English does not have.
    """
    bare = mnemonic.lstrip(_STRESS_MARKS)
    if bare not in _OF_MNEMONIC:
        raise StreamerError(
            "phone of espeak-ng",
            value=repr(mnemonic),
            allowed="American English",
            way_out="add it to drivers/simulator/phones.py",
        )
    return _OF_MNEMONIC[bare]


GESTURES: tuple[str, ...] = (
    "jaw",  # jaw lowered
    "rounding",  # lips protruded and rounded
    "spreading",  # corners of the mouth drawn out and up
    "closure",  # lips pressed together
    "labiodental",  # lower lip drawn to the upper teeth
    "tip",  # tip of the tongue raised
    "front",  # body of the tongue raised in front
    "back",  # body of the tongue raised at the back
)

# How far each gesture goes, 0 to 1, as textbook phonetics has it: openness of a vowel is
# the jaw, frontness and height the body of the tongue, place of articulation of a
# consonant its constriction. Voicing and nasality leave no trace at the six sites;
# voiceless stops are pressed somewhat harder. Diphthongs are two targets.
_TARGETS: dict[str, tuple[dict[str, float], ...]] = {
    "IY": ({"jaw": 0.1, "spreading": 0.9, "front": 1.0},),
    "IH": ({"jaw": 0.25, "spreading": 0.5, "front": 0.7},),
    "EH": ({"jaw": 0.5, "spreading": 0.5, "front": 0.45},),
    "AE": ({"jaw": 0.8, "spreading": 0.6, "front": 0.25},),
    "IX": ({"jaw": 0.2, "spreading": 0.35, "front": 0.55},),
    "AX": ({"jaw": 0.3},),
    "AH": ({"jaw": 0.55, "back": 0.2},),
    "UW": ({"jaw": 0.1, "rounding": 1.0, "back": 0.8},),
    "UH": ({"jaw": 0.25, "rounding": 0.6, "back": 0.6},),
    "AO": ({"jaw": 0.65, "rounding": 0.6, "back": 0.5},),
    "AA": ({"jaw": 1.0, "back": 0.35},),
    "EY": (
        {"jaw": 0.45, "spreading": 0.5, "front": 0.55},
        {"jaw": 0.15, "spreading": 0.8, "front": 0.95},
    ),
    "AY": ({"jaw": 0.9, "back": 0.2}, {"jaw": 0.2, "spreading": 0.7, "front": 0.85}),
    "OY": (
        {"jaw": 0.55, "rounding": 0.8, "back": 0.5},
        {"jaw": 0.2, "spreading": 0.7, "front": 0.85},
    ),
    "AW": ({"jaw": 0.9, "back": 0.2}, {"jaw": 0.25, "rounding": 0.85, "back": 0.7}),
    "OW": (
        {"jaw": 0.45, "rounding": 0.6, "back": 0.5},
        {"jaw": 0.15, "rounding": 0.95, "back": 0.75},
    ),
    "L": ({"jaw": 0.25, "tip": 0.8, "back": 0.3},),
    "R": ({"jaw": 0.2, "rounding": 0.5, "tip": 0.45, "back": 0.4},),
    "Y": ({"jaw": 0.1, "spreading": 0.7, "front": 1.0},),
    "W": ({"jaw": 0.1, "rounding": 1.0, "back": 0.9},),
    "ER": ({"jaw": 0.25, "rounding": 0.4, "tip": 0.4, "back": 0.3},),
    "AXR": ({"jaw": 0.25, "rounding": 0.3, "tip": 0.35, "back": 0.25},),
    "M": ({"closure": 0.8},),
    "N": ({"jaw": 0.1, "tip": 0.85},),
    "NG": ({"jaw": 0.2, "back": 0.9},),
    "CH": ({"rounding": 0.5, "tip": 1.0, "front": 0.4},),
    "JH": ({"rounding": 0.5, "tip": 0.9, "front": 0.4},),
    "DH": ({"jaw": 0.2, "tip": 0.65},),
    "B": ({"closure": 0.85},),
    "D": ({"jaw": 0.1, "tip": 0.85},),
    "G": ({"jaw": 0.2, "back": 0.95},),
    "P": ({"closure": 1.0},),
    "T": ({"jaw": 0.1, "tip": 1.0},),
    "K": ({"jaw": 0.2, "back": 1.0},),
    "Z": ({"spreading": 0.4, "tip": 0.75},),
    "ZH": ({"rounding": 0.6, "tip": 0.65, "front": 0.4},),
    "V": ({"jaw": 0.1, "labiodental": 0.9},),
    "F": ({"jaw": 0.1, "labiodental": 1.0},),
    "TH": ({"jaw": 0.2, "tip": 0.7},),
    "S": ({"spreading": 0.4, "tip": 0.8},),
    "SH": ({"rounding": 0.6, "tip": 0.7, "front": 0.4},),
    "HH": ({"jaw": 0.2},),
    "XL": ({"jaw": 0.3, "tip": 0.75, "back": 0.4},),
    "XM": ({"jaw": 0.1, "closure": 0.8},),
    "XN": ({"jaw": 0.15, "tip": 0.85},),
    SILENCE: ({},),
}


def articulatory_targets(phone: str) -> tuple[dict[str, float], ...]:
    """Say how far each gesture goes in a phone.

    Parameters
    ----------
    phone : str
        One of `PHONE_LIST`.

    Returns
    -------
    tuple of dict
        One target, or two in a diphthong: gesture to degree, 0 to 1; gestures that a
        phone does not need are left out.
    """
    return _TARGETS[phone]
