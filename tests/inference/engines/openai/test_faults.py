"""Servers that lie, stall, hang up and come back."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from inference.config import Settings
from inference.engines.base import (
    BadRequest,
    CannotLoad,
    EngineBroken,
    TooLong,
    Unsupported,
)
from inference.engines.openai import config
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.server import Wanted
from jobqueue.settings import load
from tests.inference.engines.openai.conftest import ANY, CALM, HASTY
from tests.inference.engines.openai.fake import (
    Act,
    Fake,
    cuts,
    delta,
    error,
    hangs,
    sends,
)
from tests.inference.support import Asker, text_of, until

Fault = Act | web.Response

NOT_BEGUN: dict[str, Callable[[], Fault]] = {
    "500": lambda: error(500, "CUDA out of memory"),
    "an error that is no JSON": lambda: web.Response(status=502, text="<html>Bad gateway</html>"),
    "a redirect": lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
    "an empty answer": sends,
    "an end before the beginning": cuts,
    "no JSON": lambda: sends("{"),
    "no object": lambda: sends("[1, 2]"),
    "no text": lambda: sends('{"choices": [{"delta": {"content": 5}}]}'),
    "no Unicode": lambda: sends('{"choices": [{"delta": {"content": "\\ud800"}}]}'),
    "an error in the stream": lambda: sends({"error": {"message": "it broke", "code": 500}}),
}


@pytest.mark.parametrize("fault", NOT_BEGUN)
async def test_before_the_first_token_a_failure_is_an_error_within_its_time(
    asker: Asker, fake: Fake, fault: str
) -> None:
    fake.acts.append(NOT_BEGUN[fault]())
    async with asyncio.timeout(10):
        with pytest.raises(EngineBroken):
            await asker.chunks("hi")
    assert len(fake.bodies) == 1  # there is nobody else to ask
    assert text_of(await asker.chunks("again")) == "one two"


@pytest.mark.parametrize("fault", [cuts("one"), sends(delta(content="one"), "{")])
async def test_what_was_begun_is_never_begun_anew_by_the_engine(
    asker: Asker, fake: Fake, fault: Act
) -> None:
    fake.acts.append(fault)
    chunks = asker.engine.generate(asker.request("hi"))
    assert (await anext(chunks)).text == "one"
    with pytest.raises(EngineBroken, match="broke off"):
        await anext(chunks)
    assert len(fake.bodies) == 1


@pytest.mark.parametrize("said", [(), ("one",)])
async def test_a_server_that_is_only_still_there_counts_as_hung(
    fake: Fake, said: tuple[str, ...]
) -> None:
    fake.acts.append(hangs(*said))
    async with fake.serving() as url, OpenAIEngine([url], ANY, patience=HASTY) as engine:
        async with asyncio.timeout(10):
            with pytest.raises(EngineBroken):
                await Asker(engine).chunks("hi")
        async with asyncio.timeout(10):
            await fake.hung_up.wait()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (error(400, "temperature must be a number"), BadRequest),
        (error(422, "no such field"), BadRequest),
        (error(400, "this model takes no image input"), Unsupported),
        (
            error(400, "request (5031 tokens) exceeds the available context size (4096 tokens)"),
            TooLong,
        ),
        (sends({"error": {"message": "bad word", "code": 400}}), BadRequest),
    ],
)
async def test_what_is_wrong_with_a_request_is_told_as_that(
    asker: Asker, fake: Fake, answer: Fault, wrong: type[Exception]
) -> None:
    fake.acts.append(answer)
    with pytest.raises(BadRequest) as told:
        await asker.chunks("hi")
    assert type(told.value) is wrong
    if isinstance(told.value, TooLong):
        assert (told.value.tokens, told.value.limit) == (5031, 4096)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_left_alone_and_asked_again(
    asker: Asker, fake: Fake, status: int
) -> None:
    fake.acts += [error(status, "busy", **{"Retry-After": "0.1"}) for _ in range(3)]
    assert text_of(await asker.chunks("hi")) == "one two"
    assert len(fake.bodies) == 4


async def test_a_server_that_is_busy_for_long_is_not_waited_for(asker: Asker, fake: Fake) -> None:
    fake.acts.append(error(429, "busy", **{"Retry-After": "3600"}))
    async with asyncio.timeout(10):
        with pytest.raises(EngineBroken, match="busy"):
            await asker.chunks("hi")


async def test_closing_the_iterator_hangs_up(asker: Asker, fake: Fake) -> None:
    fake.acts.append(hangs("one"))
    chunks = asker.engine.generate(asker.request("hi"))
    await anext(chunks)
    await chunks.aclose()
    async with asyncio.timeout(10):
        await fake.hung_up.wait()


# --- several servers ------------------------------------------------------------------------------


async def test_a_channel_stays_with_its_server_and_moves_only_when_that_fails() -> None:
    fakes = [Fake(), Fake(), Fake()]
    async with (
        fakes[0].serving() as a,
        fakes[1].serving() as b,
        fakes[2].serving() as c,
        OpenAIEngine([a, b, c], ANY, patience=CALM) as engine,
    ):
        channels = [f"channel-{n}" for n in range(300)]

        async def homes() -> list[int]:
            asked = []
            for channel in channels:
                async for server in engine._servers.candidates(channel):
                    asked.append([a, b, c].index(server.url))
                    break
            return asked

        before = await homes()
        assert before == await homes()
        assert {before.count(n) > 50 for n in range(3)} == {True}

        fakes[1].sick = web.Response(status=500)
        await until(lambda: len(engine._servers.up) == 2, within_s=10)
        assert (engine.health().phase, b in engine.health().detail) == ("ready", True)
        after = await homes()
        assert all(new == old for old, new in zip(before, after, strict=True) if old != 1)

        fakes[1].sick = None
        await until(lambda: len(engine._servers.up) == 3, within_s=10)
        assert await homes() == before


@pytest.mark.parametrize("fault", ["500", "an end before the beginning", "no JSON"])
async def test_another_server_answers_what_one_could_not_begin(fault: str) -> None:
    fakes = [Fake(), Fake()]
    async with (
        fakes[0].serving() as a,
        fakes[1].serving() as b,
        OpenAIEngine([a, b], ANY, patience=CALM) as engine,
    ):
        home = await anext(engine._servers.candidates("general"))
        fakes[[a, b].index(home.url)].acts.append(NOT_BEGUN[fault]())
        assert text_of(await Asker(engine).chunks("hi")) == "one two"
    assert [len(fake.bodies) for fake in fakes] == [1, 1]


async def test_each_server_is_asked_once_and_then_the_job_is_given_back() -> None:
    fakes = [Fake(), Fake()]
    async with (
        fakes[0].serving() as a,
        fakes[1].serving() as b,
        OpenAIEngine([a, b], ANY, patience=CALM) as engine,
    ):
        for fake in fakes:
            fake.acts.append(error(500, "CUDA out of memory"))
        with pytest.raises(EngineBroken, match="CUDA out of memory"):
            await Asker(engine).chunks("hi")
    assert [len(fake.bodies) for fake in fakes] == [1, 1]


async def test_a_dead_server_is_degraded_and_ready_when_it_is_back() -> None:
    fake = Fake()
    async with fake.serving() as url:
        engine = await OpenAIEngine([url], ANY, patience=CALM).__aenter__()
    port = int(url.rpartition(":")[2].removesuffix("/v1"))
    try:
        async with asyncio.timeout(10):
            with pytest.raises(EngineBroken):
                await Asker(engine).chunks("hi")
        assert engine.health().phase == "degraded"
        async with fake.serving(port):
            await until(lambda: engine.health().phase == "ready", within_s=10)
            assert text_of(await Asker(engine).chunks("hi")) == "one two"
    finally:
        await engine.__aexit__(None, None, None)


# --- the beginning --------------------------------------------------------------------------------


async def test_it_waits_for_a_server_that_is_still_loading() -> None:
    fake = Fake(owned_by="sglang", max_model_len=None)
    fake.sick = error(503, "Loading model")
    async with fake.serving() as url:
        engine = OpenAIEngine([url], ANY, patience=CALM)
        entering = asyncio.create_task(engine.__aenter__())
        await until(lambda: "503" in engine.health().detail, within_s=10)
        assert engine.health().phase == "loading"
        fake.sick = None
        await entering
        assert (engine.health().phase, engine.model) == ("ready", "some-model")
        assert (engine.context_tokens, engine.slots) == (4096, 32)
        await engine.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("wanted", "sick", "told"),
    [
        (Wanted("other"), None, "serves some-model: choose with INFERENCE_MODEL"),
        (ANY, error(401, "no"), "refuses the API key"),
    ],
)
async def test_what_only_an_operator_can_mend_ends_the_start(
    wanted: Wanted, sick: Any, told: str
) -> None:
    fake = Fake()
    fake.sick = sick
    async with fake.serving() as url:
        with pytest.raises(CannotLoad, match=told):
            await OpenAIEngine([url], wanted, patience=CALM).__aenter__()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "INFERENCE_BASE_URLS names no server"),
        ({"base_urls": "localhost:8000"}, "no http address"),
        ({"base_urls": "http://a", "server": "vapour"}, "INFERENCE_SERVER"),
    ],
)
def test_settings_that_cannot_work_are_told(settings: dict[str, str], told: str) -> None:
    with pytest.raises(CannotLoad, match=told):
        config.engine(Settings(**settings))  # type: ignore[arg-type]


def test_addresses_are_completed_and_kept_once() -> None:
    listed = "http://a:1/, http://a:1/v1 ,https://b/openai/v1/"
    assert config.base_urls(listed) == ("http://a:1/v1", "https://b/openai/v1")


async def test_the_key_goes_to_the_server_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = tmp_path / "key"
    key.write_text("sk-secret\n")
    fake = Fake()
    with caplog.at_level(logging.DEBUG):
        async with fake.serving() as url:
            environ = {"INFERENCE_BASE_URLS": url, "INFERENCE_API_KEY_FILE": str(key)}
            engine = config.engine(load(Settings, environ))
            async with engine:
                fake.acts.append(error(500, "broke"))
                with pytest.raises(EngineBroken) as told:
                    await Asker(engine).chunks("hi")
    assert set(fake.keys) == {"Bearer sk-secret"}
    assert "sk-secret" not in caplog.text + str(told.value) + repr(told.value)
