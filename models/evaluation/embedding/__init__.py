"""Speaker recognition by embeddings that EMG learns from speech."""

from models.evaluation.embedding.experiment import embedding

__all__ = ["embedding"]
