"""Training runs: one seed or several, aside and step by step, so that a kill leaves nothing half done."""
