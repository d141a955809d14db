"""What the bot and the inference service both stand on, and what is no part of the queue."""
