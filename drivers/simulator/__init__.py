"""Simulated recordings: synthetic speech and the EMG that goes with it."""
