"""Keep secrets and private text out of what operators read: logs, errors and reports."""

import logging
import re

HIDDEN = "***"

_SENSITIVE = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|key|auth|sig(?:nature)?|credential)"
)
_URL = r"\b([a-z][a-z0-9+.-]{0,30}://)"
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # The tokens of Discord's interactions and webhooks, and of its bots.
        (r"(/(?:webhooks|interactions)/\d{1,20}/)[\w.~-]{8,}", rf"\1{HIDDEN}"),
        (r"\b[a-z0-9_-]{23,28}\.[a-z0-9_-]{6,7}\.[a-z0-9_-]{27,}", HIDDEN),
        # User and password of a URL: all from the scheme to the last @, since a password may have
        # any character, also a slash. A path such as `/messages/@original` is not one.
        (_URL + r"(?!:PASSWORD@)[^\s\"'<>]{1,512}(?<!/)@", rf"\1{HIDDEN}@"),
        (rf"([?&;#][\w.-]{{0,40}}{_SENSITIVE}\w{{0,40}}=)[^&\s\"'#]+", rf"\1{HIDDEN}"),
        (r"\b(bearer +)[\w.~+/=*-]{8,}", rf"\1{HIDDEN}"),
        (
            r"(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:basic|bot) +)?)[^\s\"',}]{4,}",
            rf"\1{HIDDEN}",
        ),
        (rf"({_SENSITIVE}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"'])[^\"']{{4,}}", rf"\1{HIDDEN}"),
        # API keys of common services, by their prefixes.
        (r"\b(?:(?:sk|pk|gsk|xai|hf|ghp|nvapi)[-_]|AIza)[\w*-]{12,}", HIDDEN),
    )
)


def redact(text: str) -> str:
    """Replace what looks like a password, a key or a token."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """A log formatter that redacts lines and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


# These libraries log messages of people, and tokens, at DEBUG.
PRIVATE_LOGGERS = (
    "discord",
    "aiohttp",
    "asyncio",
    "redis",
    "urllib3",
    "httpx",
    "httpcore",
    "openai",
)


def silence_private_loggers() -> None:
    """Limit libraries that see private text to INFO, whatever the root level is."""
    for name in PRIVATE_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
