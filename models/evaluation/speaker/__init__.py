"""Who speaks, straight from EMG: section 4 of Diener et al. (2020)."""

from models.evaluation.speaker.experiment import speaker

__all__ = ["speaker"]
