"""How a network learns: the loop, what watches it, its settings, and losses."""
