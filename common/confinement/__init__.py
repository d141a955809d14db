"""Take rights away from a process: what is to read or run something that may be hostile."""
