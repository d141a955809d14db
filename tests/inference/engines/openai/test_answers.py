"""What is asked, and what becomes of the answer."""

import base64
from typing import Any

import pytest

from inference.engines.base import (
    Image,
    Message,
    NativeCallDelta,
    PromptTooLong,
    Request,
    UnsupportedRequest,
    Usage,
)
from inference.engines.openai import request_body
from inference.engines.openai.chunk_parser import IMAGE_TOKENS
from inference.engines.openai.request_body import FLAVOURS
from jobqueue.schema import FinishReason, Sampling
from tests.inference.engines.openai.fake import Fake, delta, end, says, sends, usage
from tests.inference.support import Asker, text_of


def body_for(flavour: str, *messages: Message, **sampling: Any) -> dict[str, Any]:
    said = messages or (Message("user", "hi"),)
    request = Request("r", "general", said, Sampling(**sampling))
    return request_body.chat(request, model="m", flavour=FLAVOURS[flavour], max_tokens=9)


async def test_an_answer_streams_and_ends_with_reason_and_usage(asker: Asker, fake: Fake) -> None:
    *others, last = await asker.chunks("What is it?", temperature=0.5, seed=3, stop=("END",))
    assert text_of(others) == "one two"
    assert (last.finish_reason, last.usage) == (FinishReason.STOP, Usage(7, 2))
    asked = fake.bodies[0]
    assert (asked["model"], asked["stream"]) == ("some-model", True)
    assert (asked["temperature"], asked["seed"], asked["stop"]) == (0.5, 3, ["END"])
    assert asked["messages"] == [{"role": "user", "content": "What is it?"}]
    assert asked["max_tokens"] == 1024
    assert "top_p" not in asked


async def test_the_length_limit_is_told_and_reported(asker: Asker, fake: Fake) -> None:
    fake.acts.append(says("one", reason="length"))
    *_, last = await asker.chunks("hi", max_tokens=1)
    assert fake.bodies[0]["max_tokens"] == 1
    assert last.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    ("flavour", "taken"),
    [
        ("vllm", {"top_k": -1, "repetition_penalty": 1.1}),
        ("sglang", {"top_k": -1, "repetition_penalty": 1.1}),
        ("lmdeploy", {"top_k": 0, "repetition_penalty": 1.1}),
        ("llamacpp", {"top_k": 0, "repeat_penalty": 1.1, "repeat_last_n": 32_768}),
    ],
)
def test_each_server_is_asked_in_its_own_words(flavour: str, taken: dict[str, Any]) -> None:
    body = body_for(flavour, top_k=0, repetition_penalty=1.1)
    assert {name: body[name] for name in taken} == taken


@pytest.mark.parametrize("rule", [{"top_k": 20}, {"repetition_penalty": 1.1}])
def test_what_a_server_takes_not_is_refused_and_not_left_out(rule: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedRequest, match="INFERENCE_SERVER"):
        body_for("openai", **rule)


def test_the_beginning_of_an_answer_is_written_on_where_a_server_can() -> None:
    begun = (Message("user", "Count."), Message("assistant", "One,"))
    assert body_for("vllm", *begun)["continue_final_message"] is True
    assert body_for("llamacpp", *begun)["messages"][-1]["content"] == "One,"
    with pytest.raises(UnsupportedRequest):
        body_for("openai", *begun)


def test_pictures_come_before_the_text_behind_their_labels() -> None:
    seen = Message("user", "Which is red?", (Image(b"abc", "image/png", "Image-1"),))
    label, picture, text = body_for("vllm", seen)["messages"][0]["content"]
    assert (label["text"], text["text"]) == ("Image-1: ", "Which is red?")
    head, _, data = picture["image_url"]["url"].partition(",")
    assert (head, base64.b64decode(data)) == ("data:image/png;base64", b"abc")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_told_apart(asker: Asker, fake: Fake, field: str) -> None:
    fake.acts.append(sends(delta(**{field: "hm"}), delta(content="yes"), end(), "[DONE]"))
    thought, answer, _ = await asker.chunks("hi")
    assert (thought.reasoning, thought.text, answer.text) == ("hm", "", "yes")


async def test_calls_of_tools_come_piece_by_piece(asker: Asker, fake: Fake) -> None:
    def call(**function: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": function}])

    pieces = (call(name="python", arguments=""), call(arguments='{"a"'), call(arguments=":1}"))
    fake.acts.append(sends(*pieces, end("tool_calls"), "[DONE]"))
    *chunks, last = await asker.chunks("hi")
    assert [chunk.tool_calls for chunk in chunks] == [
        (NativeCallDelta(0, "python", ""),),
        (NativeCallDelta(0, "", '{"a"'),),
        (NativeCallDelta(0, "", ":1}"),),
    ]
    assert last.finish_reason is FinishReason.STOP


@pytest.mark.parametrize(
    "bill",
    [
        pytest.param((), id="none"),
        pytest.param((usage(None, "many"),), id="no numbers"),
        pytest.param((usage(0, 0),), id="nothing"),
        pytest.param((usage(-5, 2),), id="negative"),
    ],
)
async def test_without_a_believable_bill_tokens_are_counted(
    asker: Asker, fake: Fake, bill: tuple[dict[str, Any], ...]
) -> None:
    texts = (delta(content="a"), delta(content="b"), delta(content="c"))
    fake.acts.append(sends(*texts, end(), *bill, "[DONE]"))
    *_, last = await asker.chunks("three words here")
    assert last.usage == Usage(3, 3)


async def test_nobody_is_charged_for_more_than_could_be_said(asker: Asker, fake: Fake) -> None:
    fake.acts.append(sends(delta(content="a"), end(), usage(7, 10**9), "[DONE]"))
    *_, last = await asker.chunks("hi", max_tokens=5)
    assert last.usage == Usage(7, 1)


async def test_an_answer_is_whole_once_its_end_was_told(asker: Asker, fake: Fake) -> None:
    """Some servers hang up instead of sending [DONE]; the bill is lost then, and nothing else."""
    fake.acts.append(sends(delta(content="yes"), end()))
    first, last = await asker.chunks("hi")
    assert (first.text, last.usage) == ("yes", Usage(1, 1))


async def test_tokens_are_counted_by_the_server_or_generously_here(
    asker: Asker, fake: Fake
) -> None:
    messages = (Message("user", "three words here"),)
    assert await asker.engine.count_tokens(messages) == 3
    fake.tokenizes = False
    assert 6 < await asker.engine.count_tokens(messages) < 40
    pictured = (Message("user", "three words here", (Image(b"abc", "image/png"),)),)
    assert await asker.engine.count_tokens(pictured) > 1000 + 3
    fake.tokenizes = True
    assert await asker.engine.count_tokens(pictured) == IMAGE_TOKENS + 3


async def test_a_prompt_beyond_the_context_is_refused_without_asking(
    asker: Asker, fake: Fake
) -> None:
    with pytest.raises(PromptTooLong) as refused:
        await asker.chunks("word " * 5000)
    assert (refused.value.tokens, refused.value.limit) == (5000, 4096)
    assert fake.bodies == []


async def test_an_answer_is_clipped_to_what_the_context_leaves(asker: Asker, fake: Fake) -> None:
    await asker.chunks("word " * 4000, max_tokens=500)
    assert fake.bodies[0]["max_tokens"] == 96
