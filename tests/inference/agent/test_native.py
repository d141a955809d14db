"""A chat whose tools are called by the protocol of a server elsewhere."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from inference.agent.tool_runtime import ToolRuntime
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.server import ServerOptions
from inference.sandbox.config import SandboxConfig
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.schema import CallStatus, Delta, Finished, ReasoningDelta
from tests.inference.agent.conftest import Solve
from tests.inference.agent.test_solve import calls, returns
from tests.inference.engines.openai.conftest import CALM
from tests.inference.engines.openai.fake import Fake, delta, end, says, sends


@pytest.fixture
def fake(request: pytest.FixtureRequest) -> Fake:
    fake = Fake()
    fake.parses_calls = getattr(request, "param", True)
    return fake


@pytest_asyncio.fixture
async def tool_runtime(
    redis: Redis, sandbox: SandboxConfig, fake: Fake
) -> AsyncIterator[ToolRuntime]:
    async with fake.serving() as url:
        engine = OpenAIEngine([url], ServerOptions("", any_model=True, tools=True), patience=CALM)
        yield ToolRuntime(
            engine,
            History(redis),
            Blobs(redis),
            system="be brief",
            sandbox=sandbox,
            tool_parser="native",
        )


def piece(**function: str) -> dict[str, Any]:
    return delta(tool_calls=[{"index": 0, "id": "x", "type": "function", "function": function}])


async def test_a_call_is_made_and_told_by_the_protocol(solve: Solve, fake: Fake) -> None:
    asks = [piece(name="convert"), piece(arguments='{"value": 5, "unit": "miles"')]
    fake.acts += [
        sends(
            delta(content="Let me see."), *asks, piece(arguments=', "to": "km"}'), end("tool_calls")
        ),
        says("That is 8.04672 km."),
    ]
    events = await solve("how far?", capability="chat", tools=("convert",))
    assert calls(events)[1].startswith('{"value": 5')
    assert [(e.status, e.text) for e in returns(events)] == [(CallStatus.OK, "8.04672 km")]
    said = "".join(e.text for e in events if isinstance(e, Delta))
    assert said == "Let me see.\nThat is 8.04672 km."
    assert isinstance(events[-1], Finished)
    first, second = fake.bodies
    assert [tool["function"]["name"] for tool in first["tools"]] == ["convert"]
    assert first["messages"][0]["content"].startswith("be brief")
    assert "<tools>" not in first["messages"][0]["content"]
    *_, asked, told = second["messages"]
    assert asked["tool_calls"][0]["function"]["name"] == "convert"
    assert told["role"] == "tool"
    assert told["tool_call_id"] == asked["tool_calls"][0]["id"]
    assert told["content"] == "8.04672 km"


async def test_a_malformed_call_is_refused_and_the_conversation_goes_on(
    solve: Solve, fake: Fake
) -> None:
    fake.acts += [
        sends(piece(name="convert", arguments='{"value": 5,'), end("tool_calls")),
        says("I cannot tell."),
    ]
    events = await solve("how far?", "j2", capability="chat", tools=("convert",))
    assert [e.status for e in returns(events)] == [CallStatus.REFUSED]
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "I cannot tell."
    assert fake.bodies[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize("fake", [False], indirect=True)
async def test_without_a_parser_calls_are_made_in_the_text(solve: Solve, fake: Fake) -> None:
    """As the family of the model's name makes them: here, none is known that could."""
    events = await solve("hello", "j3", capability="chat", tools=("convert",))
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "one two"
    assert "tools" not in fake.bodies[-1]


async def test_reasoning_without_a_beginning_is_no_answer_before_or_after_a_call(
    solve: Solve, fake: Fake
) -> None:
    asks = piece(name="convert", arguments='{"value": 5, "unit": "miles", "to": "km"}')
    fake.acts += [
        sends(delta(content="They ask.\n"), delta(content="</think>Let me see."), asks, end()),
        sends(delta(content="I have it.\n"), delta(content="</think>That is 8 km."), end()),
    ]
    events = await solve("how far?", "j4", capability="chat", tools=("convert",))
    draft = ""
    for event in events:
        if isinstance(event, Delta):
            draft = event.text if event.anew else draft + event.text
    assert draft == "Let me see.\nThat is 8 km."
    assert isinstance(events[-1], Finished)
    assert events[-1].text == draft
    thoughts = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    assert thoughts.replace("\n", "") == "They ask.I have it."


async def test_of_calls_that_all_have_the_same_number_the_first_is_made_whole(
    solve: Solve, fake: Fake
) -> None:
    def asks(number: str, value: int) -> dict[str, Any]:
        arguments = f'{{"value": {value}, "unit": "miles", "to": "km"}}'
        function = {"name": "convert", "arguments": arguments}
        return delta(tool_calls=[{"index": 0, "id": number, "function": function}])

    fake.acts += [sends(asks("a", 5), asks("b", 7), end("tool_calls")), says("8 km.")]
    events = await solve("how far?", "j5", capability="chat", tools=("convert",))
    assert [(e.status, e.text) for e in returns(events)] == [(CallStatus.OK, "8.04672 km")]
