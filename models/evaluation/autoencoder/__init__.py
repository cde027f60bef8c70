"""Speaker recognition by what autoencoders keep of spectrograms."""

from models.evaluation.autoencoder.experiment import autoencoder

__all__ = ["autoencoder"]
