"""Names in a text, in languages that write them with capitals and few other words."""

import re

# Capitals within a sentence; at its beginning every word has one.
_UPPER = "[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞĢĪĶĻŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽȘȚΑ-ΩА-ЯЁЂ-Џ]"
_WORD = rf"{_UPPER}[\w'’-]+"
_NAME = re.compile(rf"(?<![.!?:]\s)(?<!^)\b{_WORD}(?:\s+(?:of\s+(?:the\s+)?)?{_WORD})*")


def capitals(text: str) -> list[str]:
    """Names in it, in languages that write them with capitals."""
    return list(dict.fromkeys(found[0] for found in _NAME.finditer(text)))
