"""Each classifier of a bundle: trained, exported, and described for the manifest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from drivers.errors import RecordingError
from models.embedding import Encoder
from models.manifest import ClassifierPart, EncoderPart, FeatureSet
from models.signal.operator import Array
from models.training.classifiers import (
    CALIBRATION,
    Discriminant,
    cross_validated,
    fit_discriminant,
    window_examples,
)
from models.training.examples import Utterance
from models.training.export import export_classifier
from models.training.forest import Forest
from models.training.progress import Progress
from models.training.settings import TrainingSettings

WINDOWS_S = (1.0, 2.0)
ROLLING_WINDOW_S = 2.0
MODE_FEATURES: tuple[FeatureSet, ...] = ("td_statistics", "band_statistics")
SPEAKER_FEATURES: tuple[FeatureSet, ...] = ("speaker", "band_statistics")
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class TrainedEncoder:
    """A network that makes the features of a classifier.

    Attributes
    ----------
    part : EncoderPart
        For the manifest.
    original, exported : Encoder
        As trained, and as a session runs it.
    """

    part: EncoderPart
    original: Encoder
    exported: Encoder


@dataclass(frozen=True)
class Method:
    """How a classifier of windows is made.

    Attributes
    ----------
    name : str
        In the bundle.
    fit, predict_unseen : callable
        Take vectors, labels and the utterance of each; return the fitted classifier, and what
        such a classifier says of utterances that it has not seen.
    calibration : str
        Where its probabilities come from.
    single : bool
        Its graph takes single precision.
    takes : tuple of str
        What else `fit` takes of each vector: ``judged``, whether it is of the length that is told
        live, and ``sessions``, its recording session, which `predict_unseen` takes as well.
    encoder : TrainedEncoder, optional
        Of embeddings, where they are its features.
    """

    name: str
    fit: Callable[..., Discriminant | Forest]
    predict_unseen: Callable[..., Array | Labels]
    calibration: str
    single: bool = False
    takes: tuple[str, ...] = ()
    encoder: TrainedEncoder | None = None


LDA = Method("lda", fit_discriminant, cross_validated, CALIBRATION, takes=("judged",))
MODE_LDA = replace(LDA, takes=("judged", "sessions"))
"""A session's modes differ from each other less than sessions do. With each mode of each session
as a group, cross-validation inside the training subsets (by sentence) tells 90 % of the utterances
instead of 84 %."""


def check_classes(what: str, classes: Sequence[str]) -> None:
    """Refuse a class of one utterance.

    Parameters
    ----------
    what : str
        ``"mode"`` or ``"speaker"``.
    classes : sequence of str
        Class of each training utterance.

    Raises
    ------
    RecordingError
        Naming the class.
    """
    for label in sorted(set(classes)):
        if classes.count(label) < 2:
            raise RecordingError(
                f"training utterances of {what} {label}",
                value=classes.count(label),
                allowed="2 or more, to calibrate on those that a fit has not seen",
                way_out="take it out of the corpus, or record more",
            )


def train_classifier_part(
    name: str,
    utterances: Sequence[Utterance],
    classes: Sequence[str],
    labels: Sequence[str],
    sets: tuple[FeatureSet, ...],
    work: Path,
    settings: TrainingSettings,
    rate_hz: float,
    progress: Progress,
    method: Method = LDA,
) -> tuple[ClassifierPart | None, dict[str, float]]:
    """Train the mode or the speaker classifier.

    Parameters
    ----------
    name : str
        ``"mode"``, ``"speaker"`` or ``"speaker_<method>"``: of the file.
    utterances : sequence of Utterance
        Training utterances.
    classes : sequence of str
        Class of each.
    labels : sequence of str
        All classes, in the order of the classifier's output.
    sets : tuple of FeatureSet
        Features of a window.
    work, settings, progress
        As for `train_frame_parts`.
    rate_hz : float
        Sampling rate of the EMG.
    method : Method
        How.

    Returns
    -------
    part : ClassifierPart or None
        None where there is nothing to tell apart.
    figures : dict of str to float
        Balanced accuracy of windows of utterances that a fold had not seen.
    """
    if len(labels) < 2:
        return None, {}
    check_classes(name.partition("_")[0], classes)
    what = f"training the {name.replace('_', ' ')} classifier"
    progress(what, 0, 3)

    def examples(encoder: Encoder | None) -> tuple[Array, Labels, Labels, NDArray[np.bool_]]:
        return window_examples(
            [one.emg for one in utterances], [labels.index(one) for one in classes],
            sets, WINDOWS_S, rate_hz, settings.signal.features, encoder,
        )  # fmt: skip

    encoder, fed = method.encoder, None
    vectors, numbers, groups, longest = examples(None if encoder is None else encoder.original)
    if encoder is not None:
        fed, _, _, _ = examples(encoder.exported)
    progress(what, 1, 3)
    sessions = np.unique([one.session for one in utterances], return_inverse=True)[1][groups]
    more = {"judged": longest, "sessions": sessions}
    classifier = method.fit(vectors, numbers, groups, **{one: more[one] for one in method.takes})
    file = work / f"{name}.onnx"
    difference = export_classifier(classifier, file, vectors, single=method.single, fed=fed)
    progress(what, 2, 3)
    unseen = method.predict_unseen(
        vectors, numbers, groups, **({"sessions": sessions} if "sessions" in method.takes else {})
    )
    progress(what, 3, 3)
    part = ClassifierPart(
        name=method.name,
        file=file.name,
        encoder=None if encoder is None else encoder.part,
        labels=tuple(labels),
        features=sets,
        window_s=ROLLING_WINDOW_S,
        calibration=method.calibration,
    )
    return part, {
        "cross_validated_balanced_accuracy": float(balanced_accuracy_score(numbers, unseen)),
        "onnx_difference": difference,
    }
