"""Figures of merit, and the experiments that measure them."""
