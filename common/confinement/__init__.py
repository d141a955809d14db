"""Confinement of processes that read or run something that may be hostile."""
