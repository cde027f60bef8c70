"""Speech without delay: what it costs to say it sooner."""

from models.evaluation.latency.experiment import latency

__all__ = ["latency"]
