"""The delivery of answers into Discord's messages."""
