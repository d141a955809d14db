"""The settings of a server and of a channel."""
