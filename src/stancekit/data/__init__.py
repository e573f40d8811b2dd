"""Labelled data: formats, loading, checks and splits."""
