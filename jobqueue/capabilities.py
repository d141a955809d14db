"""Names of what a worker can do: `chat`, and `chat@model` for those who want just that model."""

import re

_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+", re.ASCII)
_LONGEST = 100

SOLVE = "solve"  # to work a problem out by running programs
VISION = "vision"  # answers about pictures
READ = "read"  # knows the text in pictures, where it does not see them
ARTICLE = "article"  # to write one, with pictures


def add_model(capability: str, model: str) -> str:
    """The capability, of one model alone; `model` may be any name or path."""
    return f"{capability}@{_NOT_IN_NAMES.sub('-', model).strip('-')}"[:_LONGEST]


def strip_model(capability: str) -> str:
    """What is to be done, whoever does it."""
    return capability.partition("@")[0]
