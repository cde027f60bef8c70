"""What the converters of all sessions have in common."""

from models.evaluation.material import Material
from models.training.causal import Base, CausalSettings
from models.training.causal_training import train_base
from models.training.examples import SignalSettings, parallel
from models.training.progress import nobody

SIGNAL = SignalSettings()


def base_of(
    material: Material, settings: CausalSettings, signal: SignalSettings = SIGNAL
) -> Base | None:
    """Train the shared network on the audible training subsets of all sessions.

    Parameters
    ----------
    material : Material
        The corpus.
    settings : CausalSettings
        Network.
    signal : SignalSettings
        Features.

    Returns
    -------
    Base or None
        Test subsets were not read, and no sentence of theirs occurs in training. None where
        no session has such data.
    """
    sessions = {
        one.name: parallel(one.subset("train", "audible")) for one in material.all_sessions(signal)
    }
    sessions = {name: one for name, one in sessions.items() if len(one)}
    if not sessions:
        return None
    return train_base(sessions, settings, signal.features.shift_s, nobody, material.device)
