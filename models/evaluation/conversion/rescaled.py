"""A network trained on audible EMG, adapted to another mode without a single label of it."""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch

from models.training.causal import CausalNetwork
from models.training.examples import Utterance

_LEAST_UTTERANCES = 3


def rescaled(network: CausalNetwork, utterances: Sequence[Utterance]) -> CausalNetwork | None:
    """Scale features by the mean and spread of the EMG that is to be converted.

    EMG of silent speech has other levels than that of audible speech in the same session.

    Parameters
    ----------
    network : CausalNetwork
        Trained on audible EMG of the session; it stays as it is.
    utterances : sequence of Utterance
        *Training* utterances of the other mode; neither sentences nor sounds are looked at.

    Returns
    -------
    CausalNetwork or None
        None where there are fewer than three utterances.
    """
    if len(utterances) < _LEAST_UTTERANCES:
        return None
    frames = np.concatenate([one.emg.joined for one in utterances])
    scale, usual = frames.std(axis=0), network.layer.scale.numpy()
    # A column that never moved in this mode keeps its scale.
    scale = np.where(scale > 0.1 * usual, scale, usual)
    changed = deepcopy(network)
    with torch.no_grad():
        changed.layer.mean.copy_(torch.tensor(frames.mean(axis=0), dtype=torch.float32))
        changed.layer.scale.copy_(torch.tensor(scale, dtype=torch.float32))
    return changed
