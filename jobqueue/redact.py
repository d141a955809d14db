"""Keep secrets out of everything that people read: logs, errors, reports."""

import re

HIDDEN = "***"

_NAMED = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|key|auth|sig(?:nature)?|credential)"
)
_RULES = (
    # Between the scheme and the last @: a password may hold any sign, also a slash.
    (
        re.compile(r"\b([a-z][a-z0-9+.-]{0,30}://)[^\s\"'<>]{1,4096}@", re.IGNORECASE),
        rf"\1{HIDDEN}@",
    ),
    (
        re.compile(rf"([?&;#][\w.-]{{0,40}}{_NAMED}\w{{0,40}}=)[^&\s\"'#]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic|bot)( +)[\w.~+/=*-]{8,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            rf"([\"']?\b(?:[\w-]{{0,40}}[_-])?{_NAMED}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"'])[^\"']{{4,}}",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # The tokens of Discord's interactions and webhooks, and of its bots.
    (re.compile(r"(/(?:webhooks|interactions)/\d{1,20}/)[\w.~-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"), HIDDEN),
    # Keys of the usual services, by the way they begin.
    (re.compile(r"\b(?:sk|pk|gsk|xai|hf|ghp|nvapi|AIza)[-_]?[A-Za-z0-9_*-]{12,}"), HIDDEN),
)


def redact(text: str) -> str:
    """`text` without what looks like a password, a key or a token."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
