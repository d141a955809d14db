"""Servers that lie, stall, hang up and come back."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from common.settings import load_settings
from inference.config import WorkerSettings
from inference.engines.base import (
    BadRequest,
    CannotLoad,
    EngineError,
    EngineFailed,
    Message,
    PromptTooLong,
    UnsupportedRequest,
)
from inference.engines.openai.engine import OpenAIEngine, base_urls, create_openai_engine
from inference.engines.openai.server import ServerOptions
from tests.inference.engines.openai.conftest import ANY, CALM, HASTY
from tests.inference.engines.openai.fake import (
    Act,
    Fake,
    cuts,
    delta,
    end,
    error,
    hangs,
    says,
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
        with pytest.raises(EngineFailed):
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
    with pytest.raises(EngineFailed, match="broke off"):
        await anext(chunks)
    assert len(fake.bodies) == 1


@pytest.mark.parametrize("said", [(), ("one",)])
async def test_a_server_that_is_only_still_there_counts_as_hung(
    fake: Fake, said: tuple[str, ...]
) -> None:
    fake.acts.append(hangs(*said))
    async with fake.serving() as url, OpenAIEngine([url], ANY, patience=HASTY) as engine:
        async with asyncio.timeout(10):
            with pytest.raises(EngineFailed):
                await Asker(engine).chunks("hi")
        async with asyncio.timeout(10):
            await fake.hung_up.wait()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (error(400, "temperature must be a number"), BadRequest),
        (error(422, "no such field"), BadRequest),
        (error(400, "this model takes no image input"), UnsupportedRequest),
        (
            error(400, "request (5031 tokens) exceeds the available context size (4096 tokens)"),
            PromptTooLong,
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
    if isinstance(told.value, PromptTooLong):
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
        with pytest.raises(EngineFailed, match="busy"):
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
        with pytest.raises(EngineFailed, match="CUDA out of memory"):
            await Asker(engine).chunks("hi")
    assert [len(fake.bodies) for fake in fakes] == [1, 1]


async def test_a_dead_server_is_degraded_and_ready_when_it_is_back() -> None:
    fake = Fake()
    async with fake.serving() as url:
        engine = await OpenAIEngine([url], ANY, patience=CALM).__aenter__()
    port = int(url.rpartition(":")[2].removesuffix("/v1"))
    try:
        async with asyncio.timeout(10):
            with pytest.raises(EngineFailed):
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
        (ServerOptions("other"), None, "serves some-model: choose with INFERENCE_MODEL"),
        (ANY, error(401, "no"), "refuses the API key"),
    ],
)
async def test_what_only_an_operator_can_mend_ends_the_start(
    wanted: ServerOptions, sick: Any, told: str
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
        create_openai_engine(WorkerSettings(**settings))  # type: ignore[arg-type]


def test_addresses_are_completed_and_kept_once() -> None:
    listed = "http://a:1/, http://a:1/v1 ,https://b/openai/v1/"
    assert base_urls(listed) == ("http://a:1/v1", "https://b/openai/v1")


@pytest.mark.parametrize(
    "url", ["me:hunter2@host", "ftp://me:hunter2@host", "http://a:hun/ter2@b:c"]
)
def test_an_address_that_is_none_shows_no_secret(url: str) -> None:
    with pytest.raises(CannotLoad, match="no http address") as told:
        base_urls(url)
    assert "ter2" not in str(told.value)


def test_a_user_and_a_key_are_one_too_many() -> None:
    with pytest.raises(CannotLoad, match="take one"):
        create_openai_engine(WorkerSettings(base_urls="http://me:pw@host", api_key="key"))


async def test_an_address_may_have_a_user_and_a_question_and_shows_neither(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with fake.serving() as url:
            secret = url.replace("//", "//me:hunter2@") + "?api-version=1&key=hunter2"
            async with OpenAIEngine([secret], ANY, patience=CALM) as engine:
                assert text_of(await Asker(engine).chunks("hi")) == "one two"
                assert await engine.count_tokens((Message("user", "two words"),)) == 2
                fake.acts.append(error(500, "broke"))
                with pytest.raises(EngineFailed) as told:
                    await Asker(engine).chunks("hi")
                fake.sick = error(500, "away")
                await until(lambda: "away" in engine.health().detail, within_s=10)
    ours = [vars(each) for each in caplog.records if each.name.startswith("inference")]
    assert any("url" in each for each in ours)
    assert "hunter2" not in f"{ours} {told.value!r} {engine.health().detail}"
    assert set(fake.keys) == {"Basic bWU6aHVudGVyMg=="}


async def test_the_key_goes_to_the_server_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = tmp_path / "key"
    key.write_text("sk-secret\n")
    fake = Fake()
    with caplog.at_level(logging.DEBUG):
        async with fake.serving() as url:
            environ = {"INFERENCE_BASE_URLS": url, "INFERENCE_API_KEY_FILE": str(key)}
            engine = create_openai_engine(load_settings(WorkerSettings, environ))
            async with engine:
                fake.acts.append(error(500, "broke"))
                with pytest.raises(EngineFailed) as told:
                    await Asker(engine).chunks("hi")
    assert set(fake.keys) == {"Bearer sk-secret"}
    assert "sk-secret" not in caplog.text + str(told.value) + repr(told.value)


# --- parameters that a server does not take -------------------------------------------------------


def refuses(name: str) -> Any:
    """In the shape of pydantic's errors."""
    item = {
        "type": "extra_forbidden",
        "loc": ["body", name],
        "msg": "Extra inputs are not permitted",
    }
    return web.json_response({"object": "error", "message": [item]}, status=422)


REFUSALS: dict[str, tuple[Callable[[], web.Response], str]] = {
    "pydantic": (lambda: refuses("stream_options"), "stream_options"),
    "fastapi": (
        lambda: web.json_response(
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "seed"],
                        "msg": "no",
                        "input": {"stop": 1},
                    }
                ]
            },
            status=422,
        ),
        "seed",
    ),
    "as text": (
        lambda: error(
            400,
            "[{'type': 'extra_forbidden', 'loc': ('body', 'top_p'), 'msg': 'not permitted'}]",
        ),
        "top_p",
    ),
    "openai": (
        lambda: web.json_response(
            {
                "error": {
                    "message": "Unsupported value.",
                    "param": "temperature",
                    "code": "unsupported_value",
                }
            },
            status=400,
        ),
        "temperature",
    ),
    "words": (lambda: error(400, "Unrecognized request argument supplied: stop"), "stop"),
    "unknown field": (lambda: error(400, 'json: unknown field "seed"'), "seed"),
    "not supported": (lambda: error(400, "`top_k` is not supported by this model"), "top_k"),
    "does not support": (
        lambda: error(500, "this backend does not support repetition_penalty"),
        "repetition_penalty",
    ),
    "plain text": (
        lambda: web.Response(status=400, text="unknown parameter: stream_options"),
        "stream_options",
    ),
    "a router": (
        lambda: error(400, 'upstream: {"error": {"message": "unsupported parameter: \'seed\'"}}'),
        "seed",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_a_server_does_not_take_is_left_out_and_remembered(
    asker: Asker, fake: Fake, name: str
) -> None:
    answer, refused = REFUSALS[name]
    rules: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "seed": 1,
        "stop": ("END",),
        "repetition_penalty": 1.1,
    }
    fake.acts.append(answer())
    assert text_of(await asker.chunks("hi", **rules)) == "one two"
    first, second = fake.bodies
    assert first.keys() - second.keys() == {refused}
    assert text_of(await asker.chunks("hi", **rules)) == "one two"
    assert len(fake.bodies) == 3
    assert refused not in fake.bodies[2]


async def test_the_limit_has_a_newer_name(asker: Asker, fake: Fake) -> None:
    told = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead."
    )
    fake.acts.append(error(400, told))
    await asker.chunks("hi", max_tokens=7)
    assert fake.bodies[1]["max_completion_tokens"] == 7
    assert "max_tokens" not in fake.bodies[1]
    fake.acts.append(error(400, "max_completion_tokens: unknown field"))
    await asker.chunks("hi", max_tokens=7)
    assert not {"max_tokens", "max_completion_tokens"} & fake.bodies[3].keys()


async def test_several_refusals_one_after_the_other(asker: Asker, fake: Fake) -> None:
    fake.acts += [refuses("stream_options"), refuses("max_tokens"), refuses("seed")]
    assert text_of(await asker.chunks("hi", seed=3)) == "one two"
    assert len(fake.bodies) == 4


@pytest.mark.parametrize(
    "told",
    [
        "temperature must be between 0 and 1",
        "max_tokens is too large: 5000",
        "unsupported role: narrator",
        "messages: Extra inputs are not permitted",
    ],
)
async def test_any_other_complaint_is_told_and_not_tried_again(
    asker: Asker, fake: Fake, told: str
) -> None:
    fake.acts.append(error(400, told))
    with pytest.raises(BadRequest, match=told[:20]):
        await asker.chunks("hi")
    assert len(fake.bodies) == 1


async def test_a_server_that_refuses_the_same_again_is_believed(asker: Asker, fake: Fake) -> None:
    fake.acts += [refuses("model")] * 3
    with pytest.raises(BadRequest, match="model: Extra inputs"):
        await asker.chunks("hi")
    assert len(fake.bodies) == 1


# --- lists of models ------------------------------------------------------------------------------

LISTS: dict[str, Callable[[], web.Response]] = {
    "404": lambda: web.Response(status=404),
    "405": lambda: error(405, "method not allowed"),
    "400": lambda: error(400, "no such route"),
    "a page": lambda: web.Response(text="<html>hello</html>", content_type="text/html"),
    "null": lambda: web.json_response(None),
    "data null": lambda: web.json_response({"object": "list", "data": None}),
    "nothing listed": lambda: web.json_response({"object": "list", "data": []}),
    "a bare list": lambda: web.json_response([{"id": "some-model"}]),
    "names alone": lambda: web.json_response(["other", "some-model"]),
    "models": lambda: web.json_response({"models": [{"name": "some-model"}]}),
    "rubbish in between": lambda: web.json_response({"data": [None, 7, {}, {"id": "some-model"}]}),
    "meta null": lambda: web.json_response(
        {"data": [{"id": "some-model", "meta": None, "owned_by": None}]}
    ),
    "another prefix": lambda: web.json_response({"data": [{"id": "models/some-model"}]}),
    "a tag": lambda: web.json_response({"data": [{"id": "some-model:latest"}, {"id": "x"}]}),
    "an alias": lambda: web.json_response({"data": [{"id": "x.gguf", "aliases": ["some-model"]}]}),
}


@pytest.mark.parametrize("name", LISTS)
async def test_the_operator_may_know_the_model_better_than_its_list(name: str) -> None:
    fake = Fake()
    fake.sick = LISTS[name]()
    wanted = ServerOptions("some-model")
    async with fake.serving() as url, OpenAIEngine([url], wanted, patience=CALM) as engine:
        assert text_of(await Asker(engine).chunks("hi")) == "one two"
        assert engine.model == "some-model"


@pytest.mark.parametrize(
    ("card", "tokens"),
    [
        ({"max_model_len": "8192"}, 8192),
        ({"max_model_len": 8192.0}, 8192),
        ({"max_model_len": "many"}, 4096),
        ({"max_model_len": -1}, 4096),
        ({"max_model_len": True}, 4096),
        ({"max_model_len": None, "meta": {"n_ctx": "2048"}}, 2048),
        ({"max_model_len": None, "context_length": 1024}, 1024),
        ({"max_model_len": None, "context_window": 1024}, 1024),
        ({"max_model_len": [4]}, 4096),
    ],
)
async def test_the_context_may_be_told_in_any_shape(card: dict[str, Any], tokens: int) -> None:
    async with Fake(**card).serving() as url, OpenAIEngine([url], ANY, patience=CALM) as engine:
        assert engine.context_tokens == tokens
        assert text_of(await Asker(engine).chunks("hi")) == "one two"


async def test_without_a_list_and_without_a_name_the_operator_is_told_what_to_do() -> None:
    fake = Fake()
    fake.sick = web.Response(status=404)
    async with fake.serving() as url:
        engine = OpenAIEngine([url], ANY, patience=CALM)
        entering = asyncio.create_task(engine.__aenter__())
        await until(lambda: "INFERENCE_MODEL" in engine.health().detail, within_s=10)
        entering.cancel()
        await asyncio.wait([entering])


async def test_a_server_that_refuses_a_parameter_may_still_take_tools() -> None:
    fake = Fake()
    fake.probe_refuses = "max_tokens"
    wanted = ServerOptions("", any_model=True, tools=True)
    async with fake.serving() as url, OpenAIEngine([url], wanted, patience=CALM) as engine:
        assert engine.takes_tools


# --- reasoning without its opening mark -----------------------------------------------------------


async def test_what_a_template_opens_is_known_from_the_second_answer_on(
    asker: Asker, fake: Fake
) -> None:
    pieces = ("They greet", " me.\n</thi", "nk>\n", "\nHello", " there")
    fake.acts += [
        says(*pieces),
        says(*pieces),
        says(*pieces),
        says("Hello", " there"),
        says("Hi", "!"),
    ]
    assert text_of(await asker.chunks("hi")) == "They greet me.\n</think>\n\nHello there"
    for _ in range(2):
        chunks = await asker.chunks("hi")
        assert [chunk.text for chunk in chunks if chunk.text] == ["Hello", " there"]
        assert "".join(chunk.reasoning for chunk in chunks) == "They greet me.\n"
    assert text_of(await asker.chunks("hi")) == "Hello there"  # told at its end
    assert [chunk.text for chunk in await asker.chunks("hi") if chunk.text] == ["Hi", "!"]


async def test_a_server_that_opens_reasoning_may_tell_it_apart_all_the_same(
    asker: Asker, fake: Fake
) -> None:
    fake.acts += [
        says("hm</think>Hello"),
        sends(delta(reasoning="hm"), delta(content="Hello"), end()),
    ]
    await asker.chunks("hi")
    assert [(c.reasoning, c.text) for c in await asker.chunks("hi")] == [
        ("hm", ""),
        ("", "Hello"),
        ("", ""),
    ]
    fake.acts += [says("hm</think>Hello"), says("<think>", "hm", "</think>Hello")]
    await asker.chunks("hi")
    assert text_of(await asker.chunks("hi")) == "<think>hm</think>Hello"


@pytest.mark.parametrize(
    ("model", "opens"),
    [
        *(("DeepSeek-R1-Distill-Qwen-7B", True), ("deepseek-r1:8b", True), ("QwQ-32B", True)),
        *(("Qwen3-4B-Thinking-2507", True), ("deepseek-reasoner", True), ("some-model", False)),
        *(("Qwen3-4B-Instruct-2507", False), ("Qwen3-non-thinking", False), ("gpt-r12", False)),
    ],
)
async def test_of_some_models_it_is_known_from_the_first_answer_on(model: str, opens: bool) -> None:
    fake = Fake(id=model)
    fake.acts.append(says("They greet", " me.</think>Hello"))
    async with fake.serving() as url, OpenAIEngine([url], ANY, patience=CALM) as engine:
        chunks = await Asker(engine).chunks("hi")
    assert text_of(chunks) == ("Hello" if opens else "They greet me.</think>Hello")


async def test_what_a_server_repeats_of_a_question_is_left_out(
    asker: Asker, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    question = "my secret plan is to sail to Peru"
    for answer in (error(500, f"cannot read {question!r} at 3"), error(400, f"bad: {question}")):
        fake.acts.append(answer)
        with caplog.at_level(logging.DEBUG), pytest.raises(EngineError) as told:
            await asker.chunks(question)
        assert "sail" not in f"{told.value} {[vars(each) for each in caplog.records]}"
    assert "bad: […]" in str(told.value)
