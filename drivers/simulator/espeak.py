"""One utterance of espeak-ng, run as a program of its own.

Speech from espeak-ng depends on what the library said before in the same process, so
`drivers.simulator.speech` starts this file anew for each utterance. It imports
nothing of the project: the library, which is under the GPL, stays behind a pipe.

Reads one JSON object from standard input (``text``, ``voice``: lines of a voice file,
``speed_wpm``, ``seed``); writes one line of JSON (``rate_hz``, ``phones``: sample,
position in the text from 0, mnemonic) and then the samples as native int16.
"""

import ctypes
import json
import sys
import tempfile
from pathlib import Path

# Names and values of espeak-ng/speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_PHONEME_EVENTS = 0x0001
INITIALIZE_DONT_EXIT = 0x8000
EVENT_LIST_TERMINATED = 0
EVENT_PHONEME = 7
PARAMETER_RATE = 1
POSITION_CHARACTER = 1
CHARS_UTF8 = 1

BASE_VOICE = "lang/gmw/en-US"


class EventId(ctypes.Union):
    """What an event is about: for a phoneme, its mnemonic."""

    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)


def speak(
    folder: Path, text: str, voice: str, speed_wpm: int, seed: int
) -> tuple[int, list[tuple[int, int, str]], bytes]:
    """Synthesise one utterance; once per process.

    Parameters
    ----------
    folder : Path
        An empty directory for what the library reads.
    text : str
        What to say.
    voice : str
        Lines of an espeak-ng voice file that are added to American English.
    speed_wpm : int
        Words per minute.
    seed : int
        Of the noise in breathy voices.

    Returns
    -------
    rate_hz : int
        Sampling rate.
    phones : list of tuple
        First sample, position in the text from 0, mnemonic.
    samples : bytes
        Native int16.
    """
    import espeakng_loader

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    data = Path(espeakng_loader.get_data_path())
    # The library cuts paths after 160 characters: a link gives it a short one.
    link = folder / "espeak-ng-data"
    link.symlink_to(data)
    rate_hz = int(
        library.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS,
            0,
            str(link).encode(),
            INITIALIZE_PHONEME_EVENTS | INITIALIZE_DONT_EXIT,
        )
    )
    if rate_hz <= 0:
        raise SystemExit(f"espeak-ng cannot use its data in {data}")
    # Without this the noise of breathy voices follows the clock.
    library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
    library.espeak_SetVoiceByName(b"en-us")  # loads what belongs to the language
    voice_file = folder / "voice"
    voice_file.write_text((data / BASE_VOICE).read_text(encoding="utf-8") + "\n" + voice)
    if library.espeak_SetVoiceByFile(str(voice_file).encode()):
        raise SystemExit("espeak-ng refuses the voice file")
    library.espeak_SetParameter(PARAMETER_RATE, speed_wpm, 0)

    samples = bytearray()
    phones: list[tuple[int, int, str]] = []

    def collect(wave: "ctypes._Pointer[ctypes.c_short]", n: int, events: object) -> int:
        if n > 0:
            samples.extend(ctypes.string_at(wave, 2 * n))
        i = 0
        while (event := events[i]).type != EVENT_LIST_TERMINATED:  # type: ignore[index]
            if event.type == EVENT_PHONEME:
                mnemonic = bytes(event.id.string).decode()
                phones.append((event.sample, event.text_position - 1, mnemonic))
            i += 1
        return 0

    callback = SynthCallback(collect)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode() + b"\0"
    library.espeak_Synth(encoded, len(encoded), 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    return rate_hz, phones, bytes(samples)


def main() -> None:
    """Serve one request."""
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        rate_hz, phones, samples = speak(Path(folder), **request)
    header = json.dumps({"rate_hz": rate_hz, "phones": phones})
    sys.stdout.buffer.write(header.encode() + b"\n" + samples)


if __name__ == "__main__":
    main()
