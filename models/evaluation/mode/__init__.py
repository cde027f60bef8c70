"""How somebody speaks: audibly, whispering or silently; section 6 of Diener et al. (2020)."""

from models.evaluation.mode.experiment import mode

__all__ = ["mode"]
