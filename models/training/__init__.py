"""Training: recordings to a bundle. The only place, beside evaluation, that imports torch."""
