"""The network of all sessions as a file: it takes longest, and every session starts from it."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drivers.errors import StreamerError
from drivers.outside.names import clean
from drivers.outside.strict_json import plain, to_json
from drivers.outside.texts import open_regular, parse_json
from models.signal.operator import Array
from models.speech.analysis import SpeechSettings
from models.training.causal import Base, CausalSettings
from models.training.examples import SignalSettings, Utterance

_ABOUT = "about"
_SHARED, _LAYER = "shared", "layer"
_VERSION = 3  # of the network's parts and their names
_NETWORK = ("width", "blocks", "first_taps", "future", "lead_ms")
_MOST_BYTES = 2**30
_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_WAY_OUT = "name another train.base, or remove it, and it is trained anew"

Fits = Mapping[str, Any]
"""What a base and the session that starts from it have to have in common, by its name."""


@dataclass(frozen=True, eq=False)
class KnownBase:
    """A base, and what it learned from.

    Attributes
    ----------
    base : Base
        For `train_session`.
    learned : dict of str to dict of str to str
        A digest of the sentence of each utterance, by session and name.
    """

    base: Base
    learned: Mapping[str, Mapping[str, str]]

    @property
    def sessions(self) -> dict[str, int]:
        """Utterances that it learned from, by session."""
        return {session: len(names) for session, names in self.learned.items()}

    def knows(self, one: Utterance) -> bool:
        """Say whether it learned from this utterance."""
        return one.name in self.learned.get(one.session, {})

    def knows_sentence(self, one: Utterance) -> bool:
        """Say whether it learned from an utterance of the same sentence, by whomever."""
        sentence = _digest(one)
        return any(sentence in names.values() for names in self.learned.values())


def learned_from(utterances: Iterable[Utterance]) -> dict[str, dict[str, str]]:
    """Return what `KnownBase.learned` says of utterances."""
    learned: dict[str, dict[str, str]] = {}
    for one in utterances:
        learned.setdefault(one.session, {})[one.name] = _digest(one)
    return learned


def fits_of(
    network: CausalSettings,
    signal: SignalSettings,
    speech: SpeechSettings,
    rate_hz: float,
    channels: Sequence[str],
) -> Fits:
    """Return what a base has to have been made with.

    Parameters
    ----------
    network : CausalSettings
        Its shape counts, and not how it is trained.
    signal : SignalSettings
        Filters and features.
    speech : SpeechSettings
        Analysis of the speech.
    rate_hz : float
        Of the EMG.
    channels : sequence of str
        Their labels.

    Returns
    -------
    dict of str to object
        Plain types by name.
    """
    content = {
        "network": {name: getattr(network, name) for name in _NETWORK},
        "signal": asdict(signal),
        "speech": asdict(speech),
        "rate_hz": rate_hz,
        "channels": list(channels),
    }
    return dict(_flat(plain(content)))


def write_base(file: Path, known: KnownBase, fits: Fits) -> None:
    """Write a base.

    Parameters
    ----------
    file : Path
        NumPy's ``.npz``, whatever it is called; one that is there meanwhile is left as it is.
    known : KnownBase
        The base.
    fits : dict of str to object
        `fits_of` what it was made with.

    Raises
    ------
    StreamerError
        The file cannot be written.
    """
    about = to_json({"version": _VERSION, "fits": fits, "learned": known.learned})
    arrays = {f"{_SHARED}/{name}": value for name, value in known.base.shared.items()}
    for session, layer in known.base.layers.items():
        arrays |= {f"{_LAYER}/{session}/{name}": value for name, value in layer.items()}
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as opened:
            np.savez(opened, **{_ABOUT: np.array(about)}, **arrays)  # type: ignore[arg-type]
        if not file.exists():
            part.replace(file)
    except OSError as error:
        raise StreamerError(
            f"base {file} cannot be written: {error.strerror or error}",
            way_out="choose a train.base that you may write to",
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()


def read_base(file: Path, settings: CausalSettings, fits: Fits) -> KnownBase:
    """Read a base.

    Parameters
    ----------
    file : Path
        As `write_base` writes it.
    settings : CausalSettings
        Of the network that is to start from it.
    fits : dict of str to object
        What it must have been made with, whatever it learned from.

    Returns
    -------
    KnownBase
        The base.

    Raises
    ------
    StreamerError
        It is no such file, or was made with other settings.
    """
    thing = f"base {file}"
    try:
        with open_regular(file, thing) as opened, np.load(opened, allow_pickle=False) as content:
            if sum(one.file_size for one in content.zip.infolist()) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES >> 20} MiB")
            about = parse_json(str(content[_ABOUT]), f"{_ABOUT} of {thing}")
            arrays = {name: content[name] for name in content.files if name != _ABOUT}
        if about["version"] == _VERSION:
            _check_fits(thing, _typed(about["fits"], Any), fits)
            learned = {
                clean(session): _typed(names, str)
                for session, names in _typed(about["learned"], dict).items()
            }
            return KnownBase(_base_of(arrays, settings), learned)
    except _DAMAGE as error:
        raise StreamerError(
            thing, value=str(error), allowed="a file that `streamer train` wrote", way_out=_WAY_OUT
        ) from None
    raise StreamerError(
        f"version of {thing}", value=about["version"], allowed=_VERSION, way_out=_WAY_OUT
    )


def _check_fits(thing: str, found: Fits, wanted: Fits) -> None:
    for name in sorted({*found, *wanted}):
        if found.get(name) != wanted.get(name):
            raise StreamerError(
                f"{name} of {thing}",
                value=to_json(found.get(name)),
                allowed=to_json(wanted.get(name)),
                way_out="name another train.base, or train with its settings",
            )


def _base_of(arrays: Mapping[str, Array], settings: CausalSettings) -> Base:
    shared: dict[str, Array] = {}
    layers: dict[str, dict[str, Array]] = {}
    for key, value in arrays.items():
        if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            raise ValueError(f"no finite numbers in {clean(key)}")
        kind, _, name = key.partition("/")
        if kind == _SHARED:
            shared[name] = value
        else:
            session, _, name = name.partition("/")
            layers.setdefault(session, {})[name] = value
    return Base(settings, shared, layers)


def _typed(content: object, kind: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError(f"{type(content).__name__} where names and values should be")
    if kind is not Any and not all(isinstance(one, kind) for one in content.values()):
        raise TypeError(f"values that are no {kind.__name__}")
    return content


def _flat(content: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _digest(one: Utterance) -> str:
    text = one.name if one.transcript is None else one.transcript
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
