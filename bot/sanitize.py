"""Prepares what a person wrote for a job. Anything that looks like structure stays text."""

import unicodedata

from bot import notices
from bot.notices import QuestionRefused

MAX_NAME_CHARS = 32
NAMELESS = "member"

_KEPT_CONTROLS = "\n\t"
_NAME_PUNCTUATION = ".'-_"


def clean_text(text: str) -> str:
    """Return the text without control characters and outer white space."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in _KEPT_CONTROLS or _is_text(c)).strip()


def clean_prompt(text: str, limit: int) -> str:
    """Return the prompt without control characters and outer white space.

    Raises:
        QuestionRefused: nothing is left, or more than `limit` characters are.
    """
    prompt = clean_text(text)
    if not _has_visible_text(prompt):
        raise QuestionRefused(notices.EMPTY_PROMPT)
    if len(prompt) > limit:
        raise QuestionRefused(notices.prompt_too_long(len(prompt), limit))
    return prompt


def clean_name(name: str, *, limit: int = MAX_NAME_CHARS) -> str:
    """Return a display name without anything that Discord or a model could take for markup."""
    plain = unicodedata.normalize("NFKC", name)
    kept = "".join(c for c in plain if c.isalnum() or c.isspace() or _is_name_mark(c))
    return " ".join(kept.split())[:limit].strip() or NAMELESS


def _is_text(character: str) -> bool:
    """Return whether it is neither a control character nor a lone surrogate.

    Joiners of emoji are text.
    """
    return unicodedata.category(character) not in ("Cc", "Cs")


def _is_name_mark(character: str) -> bool:
    """Return whether a name may contain it: letters, punctuation, accents, vowel signs."""
    return character in _NAME_PUNCTUATION or unicodedata.category(character) in ("Mn", "Mc")


def _has_visible_text(prompt: str) -> bool:
    return any(unicodedata.category(c)[0] not in "ZC" for c in prompt)
