"""What servers send beside the protocol: what was complete is never lost, and what may lack
something is broken, with its reason."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from inference.engines.base import BadRequest, EngineFailed, NativeCallDelta
from inference.engines.openai.chunk_parser import AnswerParser
from inference.engines.openai.sse import LONGEST_EVENT, ServerEvent, ServerSentEvents
from jobqueue.schema import FinishReason
from tests.inference.engines.openai.fake import Act, Fake, delta, end, error, sends, usage
from tests.inference.support import Asker, text_of

DONE = b"data: [DONE]\n\n"
HE, LO = delta(content="Hel"), delta(content="lo")
NO_CHOICE: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk"}


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, **fields}]}


def stream(*values: Any) -> bytes:
    """Events; bytes are sent as they are."""
    return b"".join(each if isinstance(each, bytes) else event(each) for each in values)


SAYS_HELLO: dict[str, bytes] = {
    # Events that mean nothing.
    "null": stream(HE, b"data: null\n\n", LO, end(), DONE),
    "empty data": stream(HE, b"data: \n\ndata:\n\n", LO, end(), DONE),
    "ping event": stream(HE, b'event: ping\ndata: {"type":"ping"}\n\n', LO, end(), DONE),
    "ping text": stream(HE, b"data: ping\n\ndata: [PING]\n\n", LO, DONE),
    "comments": stream(b": ping\n\n:\n\n", HE, b": OPENROUTER PROCESSING\n\n", LO, end(), DONE),
    "empty object": stream({}, HE, LO, end(), DONE),
    "number": stream(HE, b"data: 0\n\ndata: true\n\n", LO, end(), DONE),
    "empty list": stream(HE, b"data: []\n\n", LO, end(), DONE),
    "delta null": stream(HE, LO, choice(delta=None, finish_reason="stop"), DONE),
    "no delta": stream(HE, LO, choice(finish_reason="stop"), DONE),
    "choice null": stream(HE, {"choices": [None]}, LO, end(), DONE),
    "choices null": stream({"choices": None, "prompt_filter_results": []}, HE, LO, end(), DONE),
    "no choices": stream(NO_CHOICE, HE, LO, end(), NO_CHOICE, DONE),
    "role alone": stream(delta(role="assistant", content=None), HE, LO, end(), DONE),
    "error empty": stream(HE | {"error": ""}, LO | {"error": {}}, end() | {"error": None}, DONE),
    "error hollow": stream(HE | {"error": {"message": "", "code": None}}, LO, end(), DONE),
    "error false": stream(HE | {"error": False}, LO | {"error": 0}, end(), DONE),
    "usage null": stream(HE | {"usage": None}, LO | {"usage": None}, end(), DONE),
    "usage each": stream(HE | usage(5, 1), usage(5, 1) | HE, usage(5, 2) | LO, end(), DONE)
    .replace(b'"choices": [], ', b"", 1)
    .replace(event(HE | usage(5, 1)), b""),
    "usage odd": stream(HE, LO, end(), usage("x", [1]), {"usage": 7}, DONE),
    "function null": stream(
        delta(content="Hel", tool_calls=[{"index": 0, "function": None}]), LO, DONE
    ),
    "tool calls null": stream(delta(content="Hello", tool_calls=None), end(), DONE),
    "unknown fields": stream(HE | {"provider": "x", "created": "now"}, LO, end(), DONE),
    # The way lines and bytes come.
    "crlf": stream(HE, LO, end(), DONE).replace(b"\n", b"\r\n"),
    "cr": stream(HE, LO, end(), DONE).replace(b"\n", b"\r"),
    "bom": b"\xef\xbb\xbf" + stream(HE, LO, end(), DONE),
    "no space": stream(HE, LO, end(), DONE).replace(b"data: ", b"data:"),
    "one line end": stream(HE, LO, end(), DONE).replace(b"\n\n", b"\n"),
    "several data lines": stream(HE, LO, end(), DONE).replace(b'"delta"', b'\ndata: "delta"'),
    "ids and retries": stream(
        b"retry: 3000\nid: 1\nevent: message\n", HE, b"id: 2\n", LO, end(), DONE
    ),
    "no last line end": stream(HE, LO, end()).rstrip(b"\n"),
    "lines of JSON": stream(HE, LO, end()).replace(b"data: ", b"").replace(b"\n\n", b"\n"),
    "a list of events": b"data: " + json.dumps([HE, LO]).encode() + b"\n\n" + DONE,
    # The end.
    "no finish": stream(HE, LO, DONE),
    "no done": stream(HE, LO, end()),
    "finish empty": stream(choice(delta={"content": "Hel"}, finish_reason=""), LO, end(), DONE),
    "finish null word": stream(choice(delta={"content": "Hel"}, finish_reason="null"), LO, DONE),
    "finish number": stream(choice(delta={"content": "Hel"}, finish_reason=0), LO, end(1), DONE),
    "finish eos": stream(HE, LO, end("eos_token"), DONE),
    "finish each": stream(
        *(choice(delta={"content": c}, finish_reason="stop") for c in ("Hel", "lo"))
    ),
    "finish with text": stream(HE, choice(delta={"content": "lo"}, finish_reason="stop"), DONE),
    "done twice": stream(HE, LO, end(), DONE, DONE),
    "done odd": stream(HE, LO, b"data: [done] \n\n"),
    "done as JSON": stream(HE, LO, b'data: "[DONE]"\n\n'),
    "done without data": stream(HE, LO, b"[DONE]\n\n"),
    "garbage after done": stream(HE, LO, end(), DONE, b"data: {broken\n\nrubbish", LO),
    "garbage after finish": stream(HE, LO, end(), b"data: {broken\n\n"),
    "error after finish": stream(HE, LO, end(), {"error": {"message": "no usage"}}, DONE),
    "error finish after finish": stream(HE, LO, end(), end("error"), DONE),
    # The shapes of a text.
    "list": stream(delta(content=[{"type": "text", "text": "Hel"}, "lo"]), end(), DONE),
    "object": stream(delta(content={"type": "text", "text": "Hello"}), end(), DONE),
    "refusal": stream(delta(content=None, refusal="Hello"), end(), DONE),
    "message": stream(choice(message={"content": "Hello"}, finish_reason="stop"), DONE),
    "messages that grow": stream(
        choice(message={"content": "Hel"}), choice(message={"content": "Hello"}), DONE
    ),
    "pieces, then all": stream(
        HE, LO, choice(message={"content": "Hello"}, finish_reason="stop"), DONE
    ),
    "both": stream(
        choice(delta={"content": "Hel"}, message={"content": "Hel"}),
        choice(delta={"content": "lo"}, message={"content": "Hello"}),
        DONE,
    ),
    "legacy text": stream(choice(text="Hel"), choice(text="lo", finish_reason="stop"), DONE),
    "choices as object": stream({"choices": {"delta": {"content": "Hello"}}}, DONE),
    "index as text": stream({"choices": [{"index": "0", "delta": {"content": "Hello"}}]}, DONE),
    "index missing": stream({"choices": [{"delta": {"content": "Hello"}}]}, DONE),
    "another choice": stream(
        {"choices": [{"index": 1, "delta": {"content": "Other"}}]}, HE, LO, end(), DONE
    ),
    "only another choice": stream({"choices": [{"index": 1, "delta": {"content": "Hello"}}]}, DONE),
    # JSON that is none.
    "NaN": stream(HE, LO, end(), DONE).replace(b'"index": 0', b'"index": 0, "logprobs": NaN'),
    "infinity": stream(HE, LO, end(), usage(float("inf"), float("-inf")), DONE),
    "raw control signs": stream(HE, LO, end(), DONE).replace(b'"index"', b'"x\t": "\x01", "index"'),
    "numbers as text": stream(HE, LO, end(), usage("5", "2"), DONE),
    "huge numbers": stream(
        HE, LO, end(), b'data: {"usage":{"prompt_tokens":' + b"9" * 400 + b"}}\n\n", DONE
    ),
}

BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "connection ended"),
    "comments alone": (b": ping\n\n", "connection ended"),
    "done alone": (DONE, "no answer"),
    "usage alone": (stream(usage(5, 2), DONE), "no answer"),
    "no end": (stream(HE, LO), "connection ended before"),
    "half an event": (stream(HE) + event(LO)[:40], "makes no sense"),
    "damaged event": (stream(HE, b'data: {"choices": [{"delta\n\n', end(), DONE), "makes no sense"),
    "text error": (stream(HE, b"data: error: model crashed\n\n", DONE), "model crashed"),
    "text error first": (stream(b"data: CUDA out of memory\n\n", DONE), "CUDA out of memory"),
    "error event": (stream(HE, b"event: error\ndata: overloaded\n\n"), "overloaded"),
    "error event as JSON": (stream(b'event: error\ndata: {"message": "boom"}\n\n'), "boom"),
    "error field": (b'error: {"code":500,"message":"slot is gone"}\n\n', "slot is gone"),
    "error after text": (stream(HE, {"error": {"message": "provider left", "code": 502}}), "left"),
    "error as text": (stream(HE, {"error": "out of memory"}), "out of memory"),
    "error with empty choices": (stream({"error": {"message": "gone"}, "choices": []}), "gone"),
    "error as object": (
        stream({"object": "error", "message": "not found", "code": 40401}),
        "not found",
    ),
    "error list": (
        stream({"errors": [{"message": "first"}, {"message": "second"}]}),
        "first; second",
    ),
    "error within text": (
        stream({"error": {"message": '{"error": {"message": "inner"}}'}}),
        "inner",
    ),
    "error without words": (stream({"error": {"code": 500}}), "error and no more"),
    "detail": (stream({"detail": "Not Found"}), "Not Found"),
    "finish error": (stream(HE, end("error"), DONE), "'error'"),
    "network error": (stream(HE, end("network_error"), DONE), "network_error"),
    "stray line": (b"Internal Server Error", "Internal Server Error"),
    "deep": (b"data: " + b"[" * 200_000 + b"\n\n", "makes no sense"),
    "page": (b"<!DOCTYPE html><title>Sign in</title>", "Sign in"),
}


def raw(*pieces: bytes) -> Act:
    async def act(response: web.StreamResponse) -> None:
        for piece in pieces:
            await response.write(piece)

    return act


@pytest.mark.parametrize("name", SAYS_HELLO)
async def test_what_was_complete_is_an_answer(asker: Asker, fake: Fake, name: str) -> None:
    fake.acts.append(raw(SAYS_HELLO[name]))
    *_, last = chunks = await asker.chunks("hi")
    assert text_of(chunks) == "Hello"
    assert last.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("name", BROKEN)
async def test_what_may_lack_something_is_broken_and_says_why(
    asker: Asker, fake: Fake, name: str
) -> None:
    sent, why = BROKEN[name]
    fake.acts.append(raw(sent))
    with pytest.raises(EngineFailed, match=why):
        await asker.chunks("hi")
    assert text_of(await asker.chunks("again")) == "one two"


async def test_a_reason_is_of_this_question_and_not_of_the_last_one(
    asker: Asker, fake: Fake
) -> None:
    fake.acts += [error(500, "out of memory"), raw(DONE)]
    with pytest.raises(EngineFailed, match="out of memory"):
        await asker.chunks("hi")
    with pytest.raises(EngineFailed) as told:
        await asker.chunks("hi")
    assert "memory" not in str(told.value)


@pytest.mark.parametrize("name", [*SAYS_HELLO, *BROKEN])
def test_events_are_the_same_however_the_bytes_are_cut(name: str) -> None:
    sent = SAYS_HELLO.get(name) or BROKEN.get(name, (b"", ""))[0]
    if len(sent) > 10_000:
        return

    def events(size: int) -> list[ServerEvent]:
        parser = ServerSentEvents()
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        return [e for piece in pieces for e in parser.push(piece)] + list(parser.end())

    assert [repr(e) for e in events(1)] == [repr(e) for e in events(7)]
    assert [repr(e) for e in events(1)] == [repr(e) for e in events(len(sent) + 1)]


@pytest.mark.parametrize("at", range(1, 60, 3))
async def test_a_character_may_be_cut_anywhere(asker: Asker, fake: Fake, at: int) -> None:
    sent = stream(delta(content="naïve 😀 答案"))
    at = sent.index("ï".encode()) + at % 24
    fake.acts.append(raw(sent[:at], sent[at:], event(end())))
    assert text_of(await asker.chunks("hi")) == "naïve 😀 答案"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (('"\\ud83d"', '"\\ude00 ok"'), "😀 ok"),
        (('"a\\ud83d"', '""', '"\\ude00"'), "a😀"),
        (('"a\\ud83d"', '"b"'), "a\ufffdb"),
        (('"\\ude00b"',), "\ufffdb"),
        (('"a\\ud83d"',), "a\ufffd"),
        (('"\\ud83d\\ude00"',), "😀"),
    ],
)
async def test_halves_of_a_character_find_each_other(
    asker: Asker, fake: Fake, pieces: tuple[str, ...], text: str
) -> None:
    sent = [f'{{"choices":[{{"delta":{{"content":{piece}}}}}]}}' for piece in pieces]
    fake.acts.append(sends(*sent, end(), "[DONE]"))
    assert text_of(await asker.chunks("hi")) == text


async def test_bytes_that_are_no_unicode_become_a_sign(asker: Asker, fake: Fake) -> None:
    sent = stream(delta(content="caf?"), end()).replace(b"caf?", b"caf\xe9")
    fake.acts.append(raw(sent))
    assert text_of(await asker.chunks("hi")) == "caf\ufffd"


WHOLE = {"choices": [{"message": {"content": "Hello", "reasoning_content": "hm"}}]}
PLAIN: dict[str, Callable[[], web.Response]] = {
    "json": lambda: web.json_response(WHOLE | usage(5, 2) | WHOLE),
    "created": lambda: web.json_response(WHOLE, status=201),
    "as text": lambda: web.Response(text=json.dumps(WHOLE), content_type="text/plain"),
    "pretty": lambda: web.Response(text="\n\n" + json.dumps(WHOLE, indent=2)),
    "in a list": lambda: web.json_response([WHOLE]),
    "zipped": lambda: web.Response(
        body=gzip.compress(json.dumps(WHOLE).encode()), headers={"Content-Encoding": "gzip"}
    ),
    "events zipped": lambda: web.Response(
        body=gzip.compress(stream(delta(reasoning="hm"), HE, LO, DONE)),
        headers={"Content-Encoding": "gzip"},
    ),
    "events as octets": lambda: web.Response(body=stream(delta(reasoning="hm"), HE, LO, DONE)),
}


@pytest.mark.parametrize("name", PLAIN)
async def test_a_plain_body_is_read_by_what_it_holds(asker: Asker, fake: Fake, name: str) -> None:
    fake.acts.append(PLAIN[name]())
    chunks = await asker.chunks("hi")
    assert (text_of(chunks), "".join(c.reasoning for c in chunks)) == ("Hello", "hm")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<html><body>502 Bad gateway</body></html>", "a page .*502 Bad gateway.*BASE_URLS"),
        ("\n <!doctype html><title>a &amp; b</title><script>x()</script>", r"a page \(a & b\)"),
        ('{"error": {"message": "model not loaded"}}', "model not loaded"),
        ('{"object": "error", "message": "no such model", "code": 40401}', "no such model"),
        ('{"detail": [{"loc": ["body", "x"], "msg": "bad"}]}', "x: bad"),
        ('{"status": "ok"}', "JSON that holds no answer"),
        ('{"choices": []}', "JSON that holds no answer|no answer"),
        ('{"choices": [{"message": {"content": "Hel', "makes no sense"),
        ("Model is loading", "Model is loading"),
    ],
)
async def test_a_plain_body_without_an_answer_says_why(
    asker: Asker, fake: Fake, body: str, why: str
) -> None:
    fake.acts.append(web.Response(text=body))
    with pytest.raises(EngineFailed, match=why):
        await asker.chunks("hi")


async def test_an_error_shows_no_secret_and_nothing_that_cannot_be_seen(
    asker: Asker, fake: Fake
) -> None:
    told = (
        "key sk-abcdefghijklmnop12345\x1b[31m \u202eat http://me:pw@host/?api_key=hidden"
        + "x" * 999
    )
    fake.acts.append(error(500, told))
    with pytest.raises(EngineFailed) as raised:
        await asker.chunks("hi")
    said = str(raised.value)
    assert "key ***" in said
    assert not any(secret in said for secret in ("abcdef", "pw", "hidden", "\x1b", "\u202e"))
    assert len(said) < 400


async def test_text_that_was_begun_is_broken_with_its_reason(asker: Asker, fake: Fake) -> None:
    fake.acts.append(raw(stream(HE, {"error": {"message": "provider left"}})))
    with pytest.raises(EngineFailed, match="broke off the answer: provider left"):
        await asker.chunks("hi")


async def test_the_length_limit_has_several_names(asker: Asker, fake: Fake) -> None:
    for reason in ("length", "MAX_TOKENS", "model_length"):
        fake.acts.append(raw(stream(HE, end(reason), DONE)))
        *_, last = await asker.chunks("hi")
        assert last.finish_reason is FinishReason.LENGTH


async def test_a_context_that_is_full_is_told_as_that_within_a_stream(
    asker: Asker, fake: Fake
) -> None:
    fake.acts.append(raw(stream({"error": {"message": "bad", "code": "400"}})))
    with pytest.raises(BadRequest):
        await asker.chunks("hi")


def test_an_event_without_an_end_is_refused_in_linear_time() -> None:
    def push(piece: bytes) -> None:
        parser = ServerSentEvents()
        for _ in range(LONGEST_EVENT // 7):
            list(parser.push(piece))

    began = time.perf_counter()
    for piece in (b"data: [[\n" * 8, b"data: [\n" * 8, b"x" * 64):
        with pytest.raises(EngineFailed):
            push(piece)
    assert time.perf_counter() - began < 60


# --- calls of tools -------------------------------------------------------------------------------


def call(index: Any = 0, id: Any = None, name: Any = None, arguments: Any = None) -> Any:  # noqa: A002
    return {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}


ROME, OSLO = '{"city": "Rome"}', '{"city": "Oslo"}'
TWO = [("now", ROME), ("now", OSLO)]
CALLS: dict[str, tuple[list[list[Any]], list[tuple[str, str]]]] = {
    "as the protocol has it": (
        [
            [call(0, "a", "now", ""), call(1, "b", "now", "")],
            [call(0, None, None, ROME)],
            [call(1, None, None, OSLO)],
        ],
        TWO,
    ),
    "all 0, told apart by ids": ([[call(0, "a", "now", ROME)], [call(0, "b", "now", OSLO)]], TWO),
    "all 0, in one event": ([[call(0, "a", "now", ROME), call(0, "b", "now", OSLO)]], TWO),
    "all 0, in pieces, ids once": (
        [
            [call(0, "a", "now", "")],
            [call(0, None, None, ROME[:5])],
            [call(0, "", None, ROME[5:])],
            [call(0, "b", "now", "")],
            [call(0, None, None, OSLO)],
        ],
        TWO,
    ),
    "all 0, ids on each piece, mixed": (
        [
            [call(0, "a", "now", "")],
            [call(0, "b", "now", "")],
            [call(0, "a", None, ROME)],
            [call(0, "b", None, OSLO)],
        ],
        TWO,
    ),
    "all 0, no ids": ([[call(0, None, "now", ROME)], [call(0, "", "now", OSLO)]], TWO),
    "no index": ([[call(None, "a", "now", ROME)], [call(None, "b", "now", OSLO)]], TWO),
    "no index, later pieces without id": (
        [
            [call(None, "a", "now", "")],
            [call(None, None, None, ROME)],
            [call(None, "b", "now", "")],
            [call(None, None, None, OSLO)],
        ],
        TWO,
    ),
    "index from 1": ([[call(1, "a", "now", ROME)], [call(2, "b", "now", OSLO)]], TWO),
    "index as text": ([[call("0", "a", "now", ROME)], [call("1", "b", "now", OSLO)]], TWO),
    "one id for all": ([[call(0, "x", "now", ROME)], [call(1, "x", "now", OSLO)]], TWO),
    "a new id for each piece": (
        [[call(0, "a", "now", "")], [call(0, "b", None, ROME[:4])], [call(0, "c", None, ROME[4:])]],
        [("now", ROME)],
    ),
    "the name in each piece": (
        [
            [call(0, "a", "now", "")],
            [call(0, "a", "now", ROME[:4])],
            [call(0, "a", "now", ROME[4:])],
        ],
        [("now", ROME)],
    ),
    "an id that comes late": (
        [[call(0, None, "now", "")], [call(0, "a", None, ROME)]],
        [("now", ROME)],
    ),
    "the name in pieces": ([[call(0, "a", "no", "")], [call(0, None, "w", ROME)]], [("now", ROME)]),
    "an object": (
        [[call(0, "a", "now", {"city": "Rome"})], [call(0, "b", "now", {"city": "Oslo"})]],
        TWO,
    ),
    "an empty object first": (
        [[call(0, "a", "now", "{}")], [call(0, None, None, ROME)]],
        [("now", ROME)],
    ),
    "no arguments": (
        [[call(0, "a", "now", "{}")], [call(0, "b", "now", "{}")]],
        [("now", "{}"), ("now", "{}")],
    ),
    "nothing in it": (
        [[None, {"index": 0}, {"index": 0, "function": None}], [call(0, "a", "now", ROME)]],
        [("now", ROME)],
    ),
    "half a character": (
        [[call(0, "a", "now", '{"city": "\ud83d')], [call(0, None, None, '\ude00"}')]],
        [("now", '{"city": "😀"}')],
    ),
    "without function": (
        [[{"index": 0, "id": "a", "name": "now", "arguments": ROME}]],
        [("now", ROME)],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_kept_apart(name: str) -> None:
    events, wanted = CALLS[name]
    answer, pieces = AnswerParser(1, 100), list[NativeCallDelta]()
    for calls in events:
        chunk = answer.push(ServerEvent(delta(tool_calls=calls)))
        pieces += chunk.tool_calls if chunk else ()
    pieces += answer.last().tool_calls
    assert sorted({piece.index for piece in pieces}) == list(range(len(wanted)))
    made = [
        tuple(
            "".join(getattr(p, part) for p in pieces if p.index == n)
            for part in ("name", "arguments")
        )
        for n in range(len(wanted))
    ]
    assert made == wanted


def test_a_call_of_the_oldest_protocol_is_one() -> None:
    answer = AnswerParser(1, 100)
    chunk = answer.push(ServerEvent(delta(function_call={"name": "now", "arguments": ROME})))
    assert chunk is not None
    assert chunk.tool_calls == (NativeCallDelta(0, "now", ROME),)


async def test_an_answer_of_many_bytes_in_small_pieces_comes_whole(
    asker: Asker, fake: Fake
) -> None:
    sent = stream(*(delta(content=f"{n} ") for n in range(300)), end(), DONE)
    fake.acts.append(raw(*(sent[at : at + 501] for at in range(0, len(sent), 501))))
    async with asyncio.timeout(30):
        assert text_of(await asker.chunks("hi")) == "".join(f"{n} " for n in range(300))
