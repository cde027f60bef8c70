"""A network trained on audible EMG, adapted to another mode without a single label of it."""

from typing import Any

import numpy as np
import torch

from models.evaluation.conversion.base import SIGNAL
from models.evaluation.conversion.jobs import measured_modes
from models.evaluation.material import Material
from models.training.causal import Base, CausalNetwork, CausalSettings
from models.training.causal_training import convert, train_session
from models.training.examples import Utterance, parallel
from models.training.progress import nobody

_LEAST_UTTERANCES = 3


def rescaled_session(
    material: Material, name: str, settings: CausalSettings, base: Base | None
) -> dict[str, Any]:
    """Scale the features of whispered and silent EMG by their own mean and spread.

    EMG of silent speech has other levels than that of audible speech in the same session. The
    network is the one that `jobs.session_of` trains on the audible training subset; the
    means and spreads by which it scales its features are those of the EMG of the mode's own
    *training* subset, of which neither sentences nor sounds are looked at.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Recording session.
    settings : CausalSettings
        Network.
    base : Base or None
        Where it starts from.

    Returns
    -------
    dict
        `measures.summary` of ``whispered.audible_trained`` and ``silent.audible_trained``, where
        the session has them.
    """
    session = material.session(name)
    own = parallel(session.subset("train", "audible"))
    others = {
        mode: session.subset("train", mode)
        for mode in ("whispered", "silent")
        if session.subset("test", mode) and len(session.subset("train", mode)) >= _LEAST_UTTERANCES
    }
    if base is None or not len(own) or not others:
        return {}
    shift_s = SIGNAL.features.shift_s
    network = train_session(name, own, base, settings, shift_s, nobody, material.device)
    found: dict[str, Any] = {}
    for mode, utterances in others.items():
        _rescale(network, utterances)
        found |= measured_modes(
            material,
            session,
            lambda one: convert(network, one.emg.joined, settings.future),
            (mode,),
        )
    return found


def _rescale(network: CausalNetwork, utterances: list[Utterance]) -> None:
    frames = np.concatenate([one.emg.joined for one in utterances])
    scale = frames.std(axis=0)
    usual = network.layer.scale.numpy()
    # A column that never moved in this mode keeps its scale.
    scale = np.where(scale > 0.1 * usual, scale, usual)
    with torch.no_grad():
        network.layer.mean.copy_(torch.tensor(frames.mean(axis=0), dtype=torch.float32))
        network.layer.scale.copy_(torch.tensor(scale, dtype=torch.float32))
