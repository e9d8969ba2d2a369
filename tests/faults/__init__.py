"""Faults against the real stack: what was done to it, what its clients were told, and what must hold all the same."""
