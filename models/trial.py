"""Every model of a bundle runs once: one that does not fit fails here and not in mid-session."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from drivers.errors import StreamerError
from models.classifier import WindowClassifier
from models.evidence import EvidenceClassifier
from models.frame_models import FrameModels
from models.signal.operator import Array

if TYPE_CHECKING:
    from models.bundle import Bundle

WHOLE = "copy the whole bundle, or train it again"

_SAME = 1e-3  # of a mel-cepstrum; the paper's network rounds by 1e-5, others differ by 1


class BundleError(StreamerError):
    """A directory is no bundle, or one that cannot be used."""


def try_models(bundle: "Bundle") -> None:
    """Run all models of a bundle.

    Parameters
    ----------
    bundle : Bundle
        Loaded.

    Raises
    ------
    BundleError
        Where one does not do what the manifest says, or the converter's two forms differ.
    """
    manifest = bundle.manifest
    rate_hz, channels = manifest.signal.rate_hz, len(manifest.signal.channels)
    columns = bundle.td_features().columns
    gate = bundle.gate
    if gate is not None:
        context = np.zeros((1, bundle.context().columns))
        _try(bundle, manifest.activity.file, 2, lambda: gate(context)[-1])
    _try_converter(bundle)
    classifiers = [(part, bundle.speakers[name]) for name, part in manifest.speakers.items()]
    if manifest.mode is not None and bundle.mode is not None:
        classifiers.append((manifest.mode, bundle.mode))
    for part, classifier in classifiers:
        samples = np.zeros((round(part.window_s * rate_hz), channels))
        frames = np.zeros((round(part.window_s / bundle.shift_s), columns))
        names = part.file if part.encoder is None else f"{part.encoder.file} or {part.file}"
        _try(bundle, names, len(part.labels), partial(_said, classifier, samples, frames))


def _try_converter(bundle: "Bundle") -> None:
    part, model, emg = bundle.manifest.converter, bundle.converter, bundle.emg_frames()
    inputs = ("features", "context") if bundle.gate is None else ("features",)
    for what, found, allowed in (
        ("inputs", model.inputs, inputs),
        ("states", model.states, part.states),
    ):
        if found != allowed:
            raise BundleError(
                f"{what} of model {part.file} of the bundle {bundle.path}",
                value=found,
                allowed=f"{allowed}, as its manifest says",
                way_out=WHOLE,
            )
    names = part.file if part.frame_file is None else f"{part.file} or {part.frame_file}"
    count = 2 + part.stacking.future + part.ahead
    joined = np.random.default_rng(0).normal(size=(count, emg.columns + emg.more_columns))
    together, alone = (
        _try(
            bundle,
            names,
            bundle.manifest.speech.order + 1,
            partial(_converted, bundle.frame_models(), joined, emg.columns, size),
        )
        for size in (count, 1)
    )
    largest = np.abs(together - alone).max()
    if not largest <= _SAME:
        raise BundleError(
            f"models {names} of the bundle {bundle.path}",
            value=f"they differ by {largest:.2g}",
            allowed="two forms of one converter",
            way_out=WHOLE,
        )


def _try(bundle: "Bundle", name: str, width: int, run: Callable[[], Array]) -> Array:
    try:
        said = run()
        found = said.shape[-1]
    except Exception as error:  # ONNX Runtime's, and NumPy's where outputs are missing
        raise BundleError(
            f"model {name} of the bundle {bundle.path} does not fit its manifest: {error}",
            way_out=WHOLE,
        ) from error
    if found != width:
        raise BundleError(
            f"outputs of model {name} of the bundle {bundle.path}",
            value=found,
            allowed=f"{width}, as its manifest says",
            way_out=WHOLE,
        )
    return said


def _converted(models: FrameModels, joined: Array, columns: int, size: int) -> Array:
    """Return the mel-cepstra of frames that come so many at a time."""
    parts = [joined[first : first + size] for first in range(0, len(joined), size)]
    return np.concatenate(
        [models.process(part[:, :columns], part)[1].mel_cepstrum for part in parts]
    )


def _said(
    classifier: WindowClassifier | EvidenceClassifier, samples: Array, frames: Array
) -> Array:
    """Return what a classifier says of a window in which all is speech."""
    if isinstance(classifier, WindowClassifier):
        return classifier.utterance(samples, frames)
    heard = classifier.listen(threshold=0.0, longest_s=classifier.window_s)
    heard.process(samples, np.ones(len(frames)))
    said = heard.whole()
    return np.empty(0) if said is None else said
