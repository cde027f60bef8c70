"""Models of a bundle run once: one that does not fit fails here and not in mid-session."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, cycle, islice
from pathlib import Path

import numpy as np

from drivers.errors import StreamerError
from models.classifier import WindowClassifier
from models.evidence import EvidenceClassifier
from models.frame_models import FrameModels
from models.inference import OnnxModel
from models.manifest import ClassifierPart, Manifest
from models.signal.emg_frames import EmgFrames
from models.signal.operator import Array
from models.speech.vocoder import Vocoder

WHOLE = "copy the whole bundle, or train it again"

_LONGER = 100  # frames: more than any converter remembers
_EMG_S = 1.0
_SAME = 1e-3  # of a mel-cepstrum; the paper's network rounds by 1e-5, others differ by 1


class BundleError(StreamerError):
    """A directory is no bundle, or one that cannot be used."""


class Trial:
    """What a bundle's models do beside what its manifest says.

    Parameters
    ----------
    path : Path
        The bundle, to name it.
    manifest : Manifest
        What it says.
    columns, more_columns : int
        TD features of a frame, and what the converter sees beside them.

    Raises
    ------
    BundleError
        By every method, where a model does not do what the manifest says.
    """

    def __init__(self, path: Path, manifest: Manifest, columns: int, more_columns: int) -> None:
        self._path = path
        self._manifest = manifest
        self._columns = columns
        self._joined = columns + more_columns

    def features(self, emg_frames: EmgFrames) -> None:
        """Try filters and features on some EMG: settings at their bounds may not work together."""
        signal = self._manifest.signal
        samples = round(_EMG_S * signal.rate_hz)
        emg = np.random.default_rng(0).normal(1000.0, 20.0, (samples, len(signal.channels)))
        filtered, frames, joined = emg_frames.process(emg)
        if not all(np.isfinite(one).all() for one in (filtered, frames, joined)):
            raise BundleError(
                f"filters and features of the bundle {self._path}",
                value="numbers that are not finite, of ordinary EMG",
                way_out=WHOLE,
            )

    def gate(self, model: OnnxModel) -> None:
        """Try a gate that is a graph of its own."""
        part = self._manifest.activity
        context = np.zeros((1, (part.stacking.past + 1) * self._columns))
        self._try(part.file, 2, lambda: model(context)[-1])

    def converter(self, model: OnnxModel, *, with_gate: bool) -> None:
        """Look at what a converter takes, keeps and gives, alone or with the gate in it."""
        part = self._manifest.converter
        inputs = ["features"]
        columns = {"mel_cepstrum": self._manifest.speech.order + 1, "log_f0": 1, "voicing": 1}
        if with_gate:
            inputs.append("context")
            columns["probabilities"] = 2  # of rest and speech
        for what, found, allowed in (
            ("inputs", list(model.inputs), inputs),
            ("outputs", list(model.outputs), list(columns)),
            ("columns of the outputs", model.outputs, columns),
            ("states", model.states, part.states),
        ):
            if found != allowed:
                raise self._unlike(f"{what} of model {part.file}", found, allowed)

    def frame_models(self, build: Callable[[], FrameModels]) -> None:
        """Try converter and gate on all frames at once, on one after the other, and on a mixture.

        Where there is a form for one frame, on so many that either has to know all that the other
        remembers.
        """
        part, width = self._manifest.converter, self._manifest.speech.order + 1
        names = part.file if part.frame_file is None else f"{part.file} or {part.frame_file}"
        count = (2 if part.frame_file is None else _LONGER) + part.stacking.future + part.ahead
        joined = np.random.default_rng(0).normal(size=(count, self._joined))
        together, *others = (
            self._try(names, width + 3, partial(_converted, build, joined, self._columns, sizes))
            for sizes in ((count,), (1,), (1, 3))
        )
        if not all(
            one.shape == together.shape and np.allclose(one, together, atol=_SAME) for one in others
        ):
            raise BundleError(
                f"models {names} of the bundle {self._path}",
                value="something else for frames that come one by one",
                allowed="the same as for all at once",
                way_out=WHOLE,
            )

    def vocoder(self, build: Callable[[], Vocoder]) -> None:
        """Try the vocoder on a frame: what the settings ask for may not be to be had."""
        speech = self._manifest.speech
        frame = np.zeros((1, speech.order + 1))
        try:
            sound = build().process(frame, [speech.f0_low_hz], [True])
        except Exception as error:  # NumPy's, of equations that cannot be solved
            raise self._unlike("speech", error, "a voice") from error
        if not np.isfinite(sound).all():
            raise self._unlike("speech", "numbers that are not finite", "a voice")

    def classifier(
        self, part: ClassifierPart, classifier: WindowClassifier | EvidenceClassifier
    ) -> None:
        """Try a classifier on a window in which all is speech."""
        signal = self._manifest.signal
        samples = np.zeros((round(part.window_s * signal.rate_hz), len(signal.channels)))
        frames = np.zeros((round(part.window_s / self._manifest.features.shift_s), self._columns))
        names = part.file if part.encoder is None else f"{part.encoder.file} or {part.file}"
        self._try(names, len(part.labels), partial(_said, classifier, samples, frames))

    def _try(self, name: str, width: int, run: Callable[[], Array]) -> Array:
        try:
            said = run()
            found = said.shape[-1]
        except Exception as error:  # ONNX Runtime's, and NumPy's where outputs are missing
            raise BundleError(
                f"model {name} of the bundle {self._path} does not fit its manifest: {error}",
                way_out=WHOLE,
            ) from error
        if found != width:
            raise self._unlike(f"outputs of model {name}", found, width)
        if not np.isfinite(said).all():
            raise BundleError(
                f"outputs of model {name} of the bundle {self._path}",
                value="numbers that cannot be right",
                allowed="finite ones, and probabilities from 0 to 1",
                way_out=WHOLE,
            )
        return said

    def _unlike(self, what: str, found: object, allowed: object) -> BundleError:
        return BundleError(
            f"{what} of the bundle {self._path}",
            value=found,
            allowed=f"{allowed}, as its manifest says",
            way_out=WHOLE,
        )


def _converted(
    build: Callable[[], FrameModels], joined: Array, columns: int, sizes: Sequence[int]
) -> Array:
    """Return all that is said of frames that come so many at a time, over and over, a row each."""
    models = build()
    cuts = [cut for cut in accumulate(islice(cycle(sizes), len(joined))) if cut < len(joined)]
    parts = np.split(joined, cuts)
    said = [models.process(part[:, :columns], part) for part in parts]
    activity = np.concatenate([one for one, _ in said])
    speech = np.concatenate(
        [np.column_stack((one.mel_cepstrum, np.log(one.f0_hz), one.voiced)) for _, one in said]
    )
    # The gate waits for nothing: it has said something of each frame that the converter has.
    return np.column_stack((speech, activity[: len(speech)]))


def _said(
    classifier: WindowClassifier | EvidenceClassifier, samples: Array, frames: Array
) -> Array:
    if isinstance(classifier, WindowClassifier):
        return classifier.utterance(samples, frames)
    heard = classifier.listen(threshold=0.0, longest_s=classifier.window_s)
    heard.process(samples, np.ones(len(frames)))
    said = heard.whole()
    return np.empty(0) if said is None else said
