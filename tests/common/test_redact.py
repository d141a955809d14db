"""Secrets in a text are hidden, and nothing else."""

import logging
import time

import pytest

from common.doctor_report import fault, print_report
from common.redact import PRIVATE_LOGGERS, RedactingFormatter, redact, silence_private_loggers

SECRET = "hunter2hunter2"
SECRETS = [
    f"redis://:{SECRET}@host:6379/0",
    f"redis://me:{SECRET}#/?[@host:6379/0",
    f"https://me:{SECRET}@host/v1/messages/@original",
    f"http://host/v1?password={SECRET}&a=b",
    f"http://host/v1?a=b&api-key={SECRET}",
    f"http://host/?access_token={SECRET}#top",
    f"https://host/x?X-Amz-Signature={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"Authorization: Bot {SECRET}",
    f"{{'Authorization': 'Basic {SECRET}'}}",
    f'{{"token": "{SECRET}"}}',
    f"password='{SECRET}'",
    f"PATCH https://discord.com/api/v10/webhooks/123/{SECRET}/messages/@original with None",
    f"POST /api/v10/interactions/123/{SECRET}/callback",
    f"Incorrect API key provided: sk-{SECRET}.",
    f"a proxy at http://me:{SECRET}@proxy:3128 refuses",
    f"{SECRET[:12]}AAAAAAAAAAAA.abcdef.{SECRET}{SECRET}",
]
HARMLESS = [
    *("redis://host:6379/0", "redis://:PASSWORD@host:6379/0", "mail me@example.com"),
    *("max_tokens=5, completion_tokens: 12", "key=value", "skip_special_tokens is not known"),
    *("http://host/v1/messages/@original", "job=j1 channel=c2 attempt=3", "the bot commonroom-1"),
    "no token, no password and no key",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_hidden(text: str) -> None:
    assert "hunter2" not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_nothing_else_is(text: str) -> None:
    assert redact(text) == text


def test_of_a_request_the_way_is_still_told() -> None:
    told = redact(f"PATCH https://discord.com/api/v10/webhooks/123/{SECRET}/messages/@original")
    assert told == "PATCH https://discord.com/api/v10/webhooks/123/***/messages/@original"


def test_a_traceback_tells_no_secret() -> None:
    try:
        raise ValueError(f"cannot read http://host/?password={SECRET}")
    except ValueError as error:
        record = logging.LogRecord("w", logging.ERROR, __file__, 1, "broke", None, None)
        record.exc_info = (type(error), error, error.__traceback__)
    told = RedactingFormatter("%(message)s").format(record)
    assert "Traceback" in told
    assert "hunter2" not in told


def test_libraries_that_see_private_words_tell_nothing_of_them() -> None:
    levels = {name: logging.getLogger(name).level for name in PRIVATE_LOGGERS}
    try:
        silence_private_loggers()
        assert not logging.getLogger("discord.http").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("discord.gateway").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("aiohttp.client").isEnabledFor(logging.DEBUG)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_doctor_tells_no_secret(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    assert print_report([fault("Redis", SECRETS[0], SECRETS[3])], as_json=as_json) == 1
    assert "hunter2" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        *("://" * 35_000, "a://" * 25_000, "a://" + "x" * 100_000, "key" * 35_000, "a-" * 50_000),
        *("'" * 100_000, "&" * 100_000, "?key" * 25_000, "/webhooks/" * 10_000, "a." * 50_000),
        *("authorization:" * 7_000, " " * 100_000, "token = " * 12_000),
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_takes_time_in_proportion_to_it(text: str) -> None:
    began = time.perf_counter()
    redact(text)
    assert time.perf_counter() - began < 20
