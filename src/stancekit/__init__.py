"""stancekit: who says it, how it is framed, and how sure you can be."""

__version__ = "0.1.0"
