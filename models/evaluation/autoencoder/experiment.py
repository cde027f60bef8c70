"""Diener et al. (2020), section 5: who speaks, by what autoencoders keep of spectrograms."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np

from models.evaluation.autoencoder.converted import ConversionSettings
from models.evaluation.autoencoder.jobs import decide, representation, train_some
from models.evaluation.autoencoder.network import AutoencoderSettings, Training
from models.evaluation.autoencoder.report import report
from models.evaluation.autoencoder.spectra import (
    Reduction,
    Spectra,
    emg_spectra,
    joined,
    speech_spectra,
)
from models.evaluation.autoencoder.spectrogram import THRESHOLDS_DB
from models.evaluation.findings import Findings, as_text
from models.evaluation.material import Session
from models.evaluation.settings import Size
from models.evaluation.study import Study
from models.evaluation.unseen_sessions import session_figures, several_sessions

MODES: Final = ("audible", "whispered", "silent")


@dataclass(frozen=True)
class Extent:
    """How large the experiment is.

    Attributes
    ----------
    network : AutoencoderSettings
        The autoencoders.
    stage : int
        Epochs that are trained, and kept, at once.
    reduction : Reduction
        What is left out of the data.
    conversion : ConversionSettings
        Models that make the speech.
    """

    network: AutoencoderSettings = field(default_factory=AutoencoderSettings)
    stage: int = 8
    reduction: Reduction = field(default_factory=Reduction)
    conversion: ConversionSettings = field(default_factory=ConversionSettings)


_SIZES: Final[dict[Size, Extent]] = {
    "quick": Extent(
        AutoencoderSettings(layers=1, hidden=16, epochs=2, batch=16),
        stage=2,
        reduction=Reduction(utterances=6, seconds=1.0),
        conversion=ConversionSettings(folds=2, epochs=1, widths=(32,)),
    ),
    "default": Extent(
        AutoencoderSettings(hidden=64, epochs=16, batch=64),
        stage=16,
        reduction=Reduction(utterances=40, seconds=2.0),
        conversion=ConversionSettings(folds=2, epochs=8),
    ),
    "full": Extent(),
}


def autoencoder(study: Study) -> Findings:
    """Tell who speaks by EMG, and by the speech that is made of it, as auDeep would.

    Parameters
    ----------
    study : Study
        Corpus and size.

    Returns
    -------
    Findings
        Empty, with the reason, where the corpus has not what it takes.
    """
    extent = _extent(study)
    findings = Findings("autoencoder", "Speaker, by autoencoders of spectrograms (auDeep)")
    findings.figures = {"direct": None, "indirect": None, "settings": asdict(extent)}
    sessions = several_sessions(study.material.all_sessions())
    if not sessions:
        findings.missing.append(
            "Two speakers with two sessions each are needed to leave a session out; "
            "no autoencoders were trained."
        )
        return findings
    names = [one.name for one in sessions]
    of_emg = study.run(
        "spectrograms of EMG", emg_spectra, [(name, extent.reduction) for name in names]
    )
    findings.figures["direct"] = _system(study, "EMG", joined(of_emg), sessions, extent)
    of_speech = study.run(
        "converting EMG to speech",
        speech_spectra,
        [(name, extent.reduction, extent.conversion) for name in names],
    )
    lacking = [name for name, one in zip(names, of_speech, strict=True) if one is None]
    if lacking:
        names_lacking = ", ".join(map(as_text, lacking))
        findings.missing.append(f"Too little speech to train converters: {names_lacking}.")
    sounding = several_sessions([one for one in sessions if one.name not in lacking])
    chosen = [one.name for one in sounding]
    spectra = [
        one
        for name, one in zip(names, of_speech, strict=True)
        if one is not None and name in chosen
    ]
    if spectra:
        findings.figures["indirect"] = _system(study, "speech", joined(spectra), sounding, extent)
    else:
        findings.missing.append("No speaker recognition on converted speech.")
    report(findings, study.settings.size)
    return findings


def _extent(study: Study) -> Extent:
    found, seed = _SIZES[study.settings.size], study.settings.seed
    return replace(
        found,
        network=replace(found.network, seed=seed),
        conversion=replace(found.conversion, seed=seed),
    )


def _system(
    study: Study, what: str, spectra: Spectra, sessions: Sequence[Session], extent: Extent
) -> dict[str, Any]:
    """Train the autoencoders, fuse what they keep, and leave out each session once."""
    trainings = _train(study, what, spectra.learned(), extent)
    parts = study.run(
        f"representations of {what}",
        representation,
        [
            (spectra, threshold_db, extent.network, training)
            for threshold_db, training in zip(THRESHOLDS_DB, trainings, strict=True)
        ],
    )
    fused = np.concatenate(parts, axis=1)
    folds = {mode: [one.name for one in several_sessions(sessions, mode)] for mode in MODES}
    modes = [mode for mode in MODES if folds[mode]]
    decisions = dict(
        zip(
            modes,
            study.run(
                f"support vector machines on {what}",
                decide,
                [
                    (fused, spectra.labels, mode, tuple(folds[mode]), study.settings.seed)
                    for mode in modes
                ],
            ),
            strict=True,
        )
    )

    def tested(trained: str, mode: str) -> dict[str, Any] | None:
        return session_figures([one for one in decisions.get(trained, []) if one.mode == mode])

    return {
        **{mode: tested(mode, mode) for mode in MODES},
        "cross_mode": {mode: tested("audible", mode) for mode in MODES[1:]},
        "features": fused.shape[1],
        "reconstruction_error": {
            f"{threshold_db:g} dB": training.losses
            for threshold_db, training in zip(THRESHOLDS_DB, trainings, strict=True)
        },
    }


def _train(study: Study, what: str, spectra: Spectra, extent: Extent) -> list[Training]:
    """Train in stages, each a job for each threshold: an interruption costs one stage at most."""
    trainings: list[Training | None] = [None] * len(THRESHOLDS_DB)
    for first in range(0, extent.network.epochs, extent.stage):
        last = min(first + extent.stage, extent.network.epochs)
        trainings = list(
            study.run(
                f"autoencoders of {what}, epochs {first + 1}-{last} of {extent.network.epochs}",
                train_some,
                [
                    (spectra, threshold_db, extent.network, last - first, before)
                    for threshold_db, before in zip(THRESHOLDS_DB, trainings, strict=True)
                ],
            )
        )
    return [one for one in trainings if one is not None]
