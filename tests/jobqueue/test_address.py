"""REDIS_URL: what cannot be read is told with the way out, and never with a part of a password."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.redis_server import RedisServer
from common.doctor_report import Severity
from jobqueue.address import BadAddress, RedisAddress, parse_redis_url
from jobqueue.doctor_checks import check_redis_server
from jobqueue.redis_client import connect
from playground.discord.server import LocalDiscord
from playground.supervisor import StartError, Supervisor

# Every one has `hunter2` in it, and something that is no address.
ODD = [
    *(f"redis://:hunter2{sign}abcdef@127.0.0.1:1/0" for sign in "#/?[]\t\n\x7f"),
    *(f"redis://:abcdef{sign}hunter2@127.0.0.1:1/0" for sign in "#/?[]"),
    *(f"redis://me:hunter2{sign}abc@def@127.0.0.1:1/0" for sign in "#/?["),
    *(f"rediss+sentinel://:hunter2{sign}abc@127.0.0.1:1/mymaster" for sign in "#/?["),
    *(f"redis+cluster://:hunter2{sign}abc@127.0.0.1:1" for sign in "#/?["),
    "redis://:#/?[@hunter2@127.0.0.1:1/0",
    "redis://:abc/hunter2",
    "redis://:abc#hunter2",
    "redis://:abc?hunter2",
    "redis://127.0.0.1:hunter2/0",
    "redis://127.0.0.1:1/hunter2",
    "redis://127.0.0.1:1/0?hunter2=1",
    "redis://127.0.0.1:1/0?password=abc#hunter2",
    "redis://127.0.0.1:1/0?ssl_cert_reqs=hunter2",
    "redis://:hunter2@127.0.0.1:1/0?ssl_cert_reqs=none",
    "rediss://:hunter2@127.0.0.1:1/0?ssl_cert_reqs=sometimes",
    "redis://:hunter2@127.0.0.1:99999/0",
    "redis://:hunter2@127.0.0.1:0/0",
    "redis://:hunter2@127.0.0.1:-1/0",
    "redis://:hunter2@127.0.0.1:１/0",
    "redis://:hunter2@127.0.0.1:1/main",
    "redis://:hunter2@127.0.0.1:1/-1",
    "redis://:hunter2@127.0.0.1:1/0/1",
    "redis://:hunter2@127.0.0.1,127.0.0.2:1/0",
    "redis://:hunter2@[::1/0",
    "redis://:hunter2@/0",
    "redis://:hunter2@",
    "redis://:hunter2@:6379",
    "redis+sentinel://:hunter2@127.0.0.1:1",
    "redis+sentinel://:hunter2@127.0.0.1:1/0",
    "redis+sentinel://:hunter2@127.0.0.1:1/a/b/0",
    "redis+sentinel://:hunter2@127.0.0.1:1,:2/a",
    "redis+cluster://:hunter2@127.0.0.1:1/3",
    "unix://:hunter2@",
    "unix://hunter2",
    "hunter2@127.0.0.1:1",
    "http://:hunter2@127.0.0.1:1",
    "redis:/:hunter2@127.0.0.1",
    "hunter2",
]
# These can be read; nobody is there, or the server does not want such a password.
READ = [
    "redis://:hunter2@abc@127.0.0.1:1/0",
    "redis://:hunter2%abc@127.0.0.1:1/0",
    "redis://:hunter2 abc@127.0.0.1:1/0",
    "redis://:hunter2%23%2F%3F@127.0.0.1:1/0",
    "redis://127.0.0.1:1/0?password=hunter2",
    "rediss://:hunter2@127.0.0.1:1/0?ssl_cert_reqs=none",
    "redis+sentinel://:hunter2@127.0.0.1:1/mymaster/0?sentinel_password=hunter2",
    "redis+cluster://:hunter2@127.0.0.1:1",
    "unix://:hunter2@/nowhere/redis.sock?db=1",
]


def hides(text: str) -> bool:
    """Whether no part of a password is in `text`."""
    return not any(part in text for part in ("hunter", "abcdef", "unter2"))


@pytest.mark.parametrize("url", ODD)
def test_what_is_no_address_is_told_without_its_secret(url: str) -> None:
    with pytest.raises(BadAddress) as told:
        connect(url)
    assert hides(str(told.value) + repr(told.value))
    assert "REDIS_URL" in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize("sign", "#/?[]")
def test_a_special_sign_in_a_password_is_met_with_advice(sign: str) -> None:
    with pytest.raises(BadAddress, match=r"percent-encoded.*%23"):
        parse_redis_url(f"redis://:hunter2{sign}abc@127.0.0.1:6379/0")


@pytest.mark.parametrize("url", [*ODD, *READ])
async def test_the_doctor_tells_no_secret(url: str) -> None:
    found = await check_redis_server({"REDIS_URL": url})
    assert [finding.verdict for finding in found] == [Severity.FAULT]
    assert hides(repr(found))


PASSWORD = "p#/?[]@:% +ü"
ENCODED = "p%23%2F%3F%5B%5D%40%3A%25%20%2B%C3%BC"


@pytest.mark.parametrize(
    ("url", "shown", "options"),
    [
        ("redis://a", "redis://a:6379/0", {}),
        (" redis://a:1/2\n", "redis://a:1/2", {}),
        ("REDISS://a", "rediss://a:6379/0", {}),
        ("redis://[::1]:2", "redis://[::1]:2/0", {}),
        ("redis://a/?db=3", "redis://a:6379/3", {}),
        (f"redis://:{ENCODED}@a", "redis://a:6379/0", {"password": PASSWORD}),
        (f"redis://me:{ENCODED}@a", "redis://a:6379/0", {"username": "me", "password": PASSWORD}),
        (f"redis://a?password={ENCODED}", "redis://a:6379/0", {"password": PASSWORD}),
        ("redis://:a@b@c", "redis://c:6379/0", {"password": "a@b"}),
        ("redis://:50%off@c", "redis://c:6379/0", {"password": "50%off"}),
        (f"unix://:{ENCODED}@/run/a.sock?db=2", "unix:///run/a.sock", {"password": PASSWORD}),
        (
            "rediss://a?ssl_cert_reqs=none",
            "rediss://a:6379/0",
            {"ssl_cert_reqs": "none", "ssl_check_hostname": False},
        ),
        (
            f"redis+sentinel://:{ENCODED}@a,b:1/mymaster/2",
            "redis+sentinel://a:26379,b:1/mymaster/2",
            {"password": PASSWORD},
        ),
        ("redis+sentinel://a/my%20master", "redis+sentinel://a:26379/my master/0", {}),
        ("rediss+cluster://a", "rediss+cluster://a:6379/0", {}),
    ],
)
def test_an_address_is_read_and_shown_without_its_secret(
    url: str, shown: str, options: dict[str, object]
) -> None:
    address = parse_redis_url(url)
    assert (str(address), dict(address.options)) == (shown, options)
    assert PASSWORD not in repr(address)


def test_sentinels_may_have_a_password_of_their_own() -> None:
    address = parse_redis_url(f"redis+sentinel://:one@a/m?sentinel_password={ENCODED}")
    assert address.options == {"password": "one"}
    assert address.sentinel_options == {"password": PASSWORD}
    assert isinstance(address, RedisAddress)


COMMANDS = {
    "bot": ["-m", "bot"],
    "bot doctor": ["-m", "bot", "doctor", "--json"],
    "bot feedback": ["-m", "bot", "feedback"],
    "inference doctor": ["-m", "inference", "doctor", "--fast"],
    "inference": ["-m", "inference", "serve"],
    "jobqueue": ["-m", "jobqueue", "status"],
}


async def run(command: str, url: str) -> tuple[str, int | None]:
    """What it prints, and its exit code; None where it goes on, having said so."""
    environ = {
        **os.environ,
        "REDIS_URL": url,
        "DISCORD_TOKEN": "x",
        "LOG_LEVEL": "DEBUG",
        "COLUMNS": "300",
        "INFERENCE_ENGINE": "scripted",
        "INFERENCE_LOG_LEVEL": "DEBUG",
        "INFERENCE_PROGRAMS": "0",
        "DISCORD_API": "http://127.0.0.1:1/api",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *COMMANDS[command]),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(60):
            while piece := await process.stdout.read(65536):
                said += piece
                if b"cannot be reached" in said:
                    return said.decode(), None
        await process.wait()
        return said.decode(), process.returncode
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("url", [ODD[0], ODD[3], "redis://127.0.0.1:1/0?password=hunter2"])
async def test_no_command_prints_a_secret_or_a_traceback(command: str, url: str) -> None:
    told, code = await run(command, url)
    assert hides(told)
    assert "Traceback" not in told
    if "password=" not in url:
        assert code
        assert "percent-encoded" in told


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("of_server", "why"),
    [
        ("redis://:hunter2@", "invalid username-password|percent-encoded"),
        ("redis+cluster://:hunter2@", "invalid username-password|percent-encoded|Cluster"),
        ("redis://:letmein@", "DB index is out of range"),
    ],
)
async def test_a_server_that_refuses_is_told_in_a_sentence(
    tmp_path: Path, command: str, of_server: str, why: str
) -> None:
    with RedisServer(tmp_path, options=("--protected-mode", "no")) as server:
        client = server.client()
        client.config_set("requirepass", "letmein")
        client.close()
        db = "/99" if "letmein" in of_server else ""
        told, code = await run(command, server.url.replace("redis://", of_server) + db)
    assert code
    assert "Traceback" not in told
    assert hides(told)
    assert "letmein" not in told
    assert re.search(why, told)


async def test_the_playground_says_it_too(tmp_path: Path) -> None:
    environ = {"REDIS_URL": ODD[0]}
    supervisor = Supervisor(folder=tmp_path, discord=LocalDiscord(), environ=environ)
    with pytest.raises(StartError, match="percent-encoded") as told:
        await supervisor.__aenter__()
    assert hides(str(told.value))


async def test_a_file_that_cannot_be_read_is_named_but_not_where_it_may_be_the_secret() -> None:
    [found] = await check_redis_server({"REDIS_URL_FILE": "/nowhere/url"})
    assert "/nowhere/url" in found.found
    [found] = await check_redis_server({"REDIS_URL_FILE": "redis://:hunter2@127.0.0.1"})
    assert hides(found.found)
