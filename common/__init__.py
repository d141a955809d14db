"""What every process shares and is not part of the queue."""
