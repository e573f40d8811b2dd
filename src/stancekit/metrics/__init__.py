"""Metrics: additive counts per example, scores from their sums."""
