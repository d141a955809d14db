"""The way from an interaction or message to a job in the queue."""
