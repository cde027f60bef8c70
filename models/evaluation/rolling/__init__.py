"""How soon, how surely and from how little mode and speaker are told."""

from models.evaluation.rolling.experiment import rolling

__all__ = ["rolling"]
