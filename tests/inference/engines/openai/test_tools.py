"""Tools by the protocol, where the server was started so that it parses calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inference.engines.base import Message, NativeToolCall, Request, ToolSpec
from inference.engines.openai import request_body
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.request_body import FLAVOURS
from inference.engines.openai.server import ServerOptions
from tests.inference.engines.openai.conftest import CALM
from tests.inference.engines.openai.fake import Fake
from tests.inference.support import text_of

NOW = ToolSpec("now", "The time in a place.", {"type": "object", "properties": {"place": {}}})
ASKED = Request("r", "general", (Message("user", "What time is it?"),), tools=(NOW,))


@asynccontextmanager
async def engine_of(*fakes: Fake, tools: bool = True) -> AsyncIterator[OpenAIEngine]:
    async with fakes[0].serving() as first, fakes[-1].serving() as last:
        wanted = ServerOptions("", any_model=True, tools=tools)
        async with OpenAIEngine(list({first, last}), wanted, patience=CALM) as engine:
            yield engine


async def answered(engine: OpenAIEngine) -> str:
    return text_of([chunk async for chunk in engine.generate(ASKED)])


async def test_a_server_that_parses_calls_is_told_of_the_tools() -> None:
    fake = Fake()
    async with engine_of(fake) as engine:
        assert engine.takes_tools
        assert await answered(engine) == "one two"
    [body] = fake.bodies
    assert body["tools"][0]["function"]["name"] == "now"
    assert "place" in body["tools"][0]["function"]["parameters"]["properties"]


@pytest.mark.parametrize(("parses", "tools"), [(False, True), (True, False)])
async def test_any_other_server_answers_without(parses: bool, tools: bool) -> None:
    fake = Fake()
    fake.parses_calls = parses
    async with engine_of(fake, tools=tools) as engine:
        assert not engine.takes_tools
        assert await answered(engine) == "one two"
    assert "tools" not in fake.bodies[0]


async def test_one_server_that_refuses_is_reason_enough_to_tell_them_in_the_text() -> None:
    able, unable = Fake(), Fake()
    unable.parses_calls = False
    async with engine_of(able, unable) as engine:
        while len(engine._servers.up) < 2:
            await engine._servers._look()
        assert not engine.takes_tools


def test_a_call_and_what_it_came_to_belong_together() -> None:
    said = (
        Message("user", "What time is it?"),
        Message("assistant", "Let me see.", tool_call=NativeToolCall("now", '{"place": "Rome"}')),
        Message("tool", "It is noon."),
        Message("assistant", "<tool_call>in the text</tool_call>"),
        Message("tool", "in the text too"),
    )
    request = Request("r", "general", said)
    body: Any = request_body.chat(request, model="m", flavour=FLAVOURS["vllm"], max_tokens=9)
    _, asked, told, _, by_hand = body["messages"]
    [call] = asked["tool_calls"]
    assert (asked["content"], call["function"]["arguments"]) == ("Let me see.", '{"place": "Rome"}')
    assert told == {"role": "tool", "tool_call_id": call["id"], "content": "It is noon."}
    assert len(call["id"]) == 9  # as Mistral's templates want it
    assert call["id"].isalnum()
    assert by_hand["role"] == "user"
