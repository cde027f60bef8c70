"""What a person should know of a bundle before believing what comes of it."""

from pathlib import Path
from typing import Any

from models.bundle import Bundle
from models.manifest import Manifest
from streamer.config import Config

_FALSE_PER_MIN, _FALSE_PART = 45.0, 0.1
"""Gates of eight of nine sessions of EMG-UKA stay below 36 activations a minute of rest, and take
5 % of it for speech; of those that had learned from five utterances, two thirds do not."""


def unsuited(bundle: Bundle, config: Config) -> list[str]:
    """Say where the voice will come later than the settings are made for.

    Parameters
    ----------
    bundle : Bundle
        What runs.
    config : Config
        All settings.

    Returns
    -------
    list of str
        A line, or nothing.
    """
    train, manifest = config.train, bundle.manifest
    wanted = []
    if train.lead_ms > manifest.converter.lead_ms:
        wanted.append(f"a lead of {train.lead_ms:g} ms (not {manifest.converter.lead_ms:g})")
    if train.low_delay and manifest.features.smoothing != "past":
        wanted.append("low-delay features")
    if not wanted:
        return []
    return [
        f"the settings are for a bundle with {' and '.join(wanted)}: with {manifest.name} the "
        "voice comes later; `streamer train` with the same settings makes one"
    ]


def unlearned(manifest: Manifest) -> list[str]:
    """Say where the speaking mode was learned from other sessions than the voice.

    On a session that it has not heard, a classifier of the mode is often wrong, and sure of it.

    Parameters
    ----------
    manifest : Manifest
        Of the bundle.

    Returns
    -------
    list of str
        A line, or nothing.
    """
    came_from = manifest.provenance
    own = came_from.converter_data.session
    others = came_from.classifier_data.mode
    if manifest.mode is None or own is None or not others or own in others:
        return []
    return [
        f"speaking mode of {manifest.name}: learned from {', '.join(sorted(others))}, not from "
        f"{own}, which has not all modes; on a session that it never heard it is often wrong"
    ]


def unsure(manifest: Manifest) -> list[str]:
    """Say where the gate takes much rest for speech: the voice will babble between words.

    Parameters
    ----------
    manifest : Manifest
        Of the bundle.

    Returns
    -------
    list of str
        A line, or nothing.
    """
    activity = manifest.figures.get("activity")
    per_min = _number(activity, "false_activations_per_min")
    part = _number(activity, "false_speech")
    if per_min <= _FALSE_PER_MIN and part <= _FALSE_PART:
        return []
    return [
        f"gate of {manifest.name}: on utterances that it had not seen it took rest for speech "
        f"{per_min:.0f} times a minute, {100 * part:.0f} % of the rest; expect a voice where "
        "nobody speaks, and train on more utterances that begin and end at rest"
    ]


def of_training(manifest: Manifest, base: Path | None) -> list[str]:
    """Say what a person should know of what a bundle was just trained on.

    Parameters
    ----------
    manifest : Manifest
        Of the bundle.
    base : Path or None
        What the converter started from, where it was there before.

    Returns
    -------
    list of str
        A line for each.
    """
    lines = []
    clipped = manifest.figures.get("clipped_utterances")
    if clipped:
        sessions = ", ".join(f"{count} of {session}" for session, count in clipped.items())
        lines.append(
            f"clipped audio: utterances {sessions} have samples at full scale, and the voice "
            "learns how that sounds; turn the microphone down"
        )
    if base is not None:
        known = manifest.provenance.model_dump()["converter_data"]["learned_first_from"]
        sessions = ", ".join(f"{session} ({count})" for session, count in known.items())
        lines.append(f"base {base}: has learned from {sessions}")
        if _number(manifest.figures.get("converter"), "held_out_known_to_base"):
            lines.append(
                f"base {base}: knows the utterances that are held out, too; the distortion on them "
                "flatters"
            )
    return lines


def _number(figures: Any, name: str) -> float:
    """Return a figure, 0 where there is none: a manifest may have been written by others."""
    value = figures.get(name) if isinstance(figures, dict) else None
    return float(value) if isinstance(value, int | float) else 0.0
