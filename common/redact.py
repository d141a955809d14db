"""Keep secrets and private words out of everything that operators read: logs, errors, reports."""

import logging
import re

HIDDEN = "***"

_NAMED = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|key|auth|sig(?:nature)?|credential)"
)
_URL = r"\b([a-z][a-z0-9+.-]{0,30}://)"
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        # The tokens of Discord's interactions and webhooks, and of its bots.
        (r"(/(?:webhooks|interactions)/\d{1,20}/)[\w.~-]{8,}", rf"\1{HIDDEN}"),
        (r"\b[a-z0-9_-]{23,28}\.[a-z0-9_-]{6,7}\.[a-z0-9_-]{27,}", HIDDEN),
        # Between the scheme and the last @: a password may hold any sign, also a slash. A path
        # such as `/messages/@original` is none.
        (_URL + r"(?!:PASSWORD@)[^\s\"'<>]{1,512}(?<!/)@", rf"\1{HIDDEN}@"),
        (rf"([?&;#][\w.-]{{0,40}}{_NAMED}\w{{0,40}}=)[^&\s\"'#]+", rf"\1{HIDDEN}"),
        (r"\b(bearer +)[\w.~+/=*-]{8,}", rf"\1{HIDDEN}"),
        (
            r"(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:basic|bot) +)?)[^\s\"',}]{4,}",
            rf"\1{HIDDEN}",
        ),
        (rf"({_NAMED}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"'])[^\"']{{4,}}", rf"\1{HIDDEN}"),
        # Keys of the usual services, by the way they begin.
        (r"\b(?:(?:sk|pk|gsk|xai|hf|ghp|nvapi)[-_]|AIza)[\w*-]{12,}", HIDDEN),
    )
)


def redact(text: str) -> str:
    """`text` without what looks like a password, a key or a token."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


class RedactingFormatter(logging.Formatter):
    """A formatter whose lines and tracebacks show no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


# They write what people say, and tokens, at DEBUG.
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
    """Let libraries that see private words tell no more than INFO, whatever the level is."""
    for name in PRIVATE_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
