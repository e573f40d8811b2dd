"""Pretrained encoders: found, loaded, run, and their vectors kept."""
