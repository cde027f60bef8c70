"""What a person should know of a bundle before believing what comes of it."""

from models.bundle import Bundle
from models.manifest import Manifest
from streamer.config import Config


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
    own = came_from.converter_data.get("session")
    others = came_from.classifier_data.get("mode")
    if manifest.mode is None or own is None or not others or own in others:
        return []
    return [
        f"speaking mode of {manifest.name}: learned from {', '.join(sorted(others))}, not from "
        f"{own}, which has not all modes; on a session that it never heard it is often wrong"
    ]
