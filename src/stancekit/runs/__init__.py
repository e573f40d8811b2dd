"""Runs: the folder that keeps every step, what they learnt from, and several of them as one model."""
