"""The tools by themselves: what they return, and how they fail."""

import json
import re

import pytest

from inference.tools.base import Context, Tool, ToolFailed, tool
from inference.tools.registry import tools
from inference.tools.search_tools import pages, papers
from jobqueue.schema import Turn
from tests.drawn import written

TOOLS = {each.name: each for each in tools(programs=True)}


async def call(name: str, context: Context | None = None, **arguments: object) -> str:
    return (await TOOLS[name].call(context or Context(), arguments)).text


def test_a_signature_and_its_words_are_the_schema() -> None:
    async def pick(context: Context, colour: str, times: int = 1) -> str:
        """Pick a colour.

        colour: its name
        times: how often
        """
        return colour * times

    made: Tool = tool(pick)
    assert (made.name, made.description) == ("pick", "Pick a colour.")
    assert made.parameters == {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "description": "its name"},
            "times": {"type": "integer", "description": "how often", "default": 1},
        },
        "required": ["colour"],
    }


def test_a_parameter_without_words_is_no_tool() -> None:
    async def bare(colour: str) -> str:
        """Pick."""
        return colour

    with pytest.raises(TypeError, match="colour"):
        tool(bare)


def test_what_reaches_out_is_off_unless_it_is_turned_on() -> None:
    assert "arxiv" not in TOOLS
    more = {
        each.name for each in tools(programs=False, with_arxiv=True, search="https://s.example")
    }
    assert {"arxiv", "search_web"} <= more
    assert "python" not in more


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1/3 + 1/6", "1/2 ≈ 0.5"),
        ("2^10", "1024"),
        ("15% of 240", "36"),
        ("sqrt(16) + comb(5, 2)", "14"),
        ("5!", "120"),
        ("sqrt(2) * sqrt(2)", "2"),
        ("17 % 5", "2"),
    ],
)
async def test_arithmetic(expression: str, value: str) -> None:
    assert await call("calculate", expression=expression) == value


@pytest.mark.parametrize(
    "expression",
    [*("9^9^9", "1/0", "x + 1", "__import__('os')", "factorial(10^9)", "(-8)^(1/3)", "sqrt(-1)")],
)
async def test_what_cannot_be_computed_fails_at_once(expression: str) -> None:
    with pytest.raises(ToolFailed):
        await call("calculate", expression=expression)


@pytest.mark.parametrize(
    ("value", "unit", "to", "result"),
    [
        (5, "miles", "kilometers", "8.04672 kilometers"),
        (25, "摄氏度", "华氏度", "77 华氏度"),
        (100, "degrees Fahrenheit", "Celsius", "37.7777777778 Celsius"),
        (72, "km/h", "m/s", "20 m/s"),
        (3, "千克", "克", "3000 克"),
    ],
)
async def test_units(value: float, unit: str, to: str, result: str) -> None:
    assert await call("convert", value=value, unit=unit, to=to) == result


@pytest.mark.parametrize(("unit", "to"), [("m", "kg"), ("parsnips", "m"), ("m", "__class__")])
async def test_units_that_do_not_fit(unit: str, to: str) -> None:
    with pytest.raises(ToolFailed):
        await call("convert", value=1, unit=unit, to=to)


@pytest.mark.parametrize(
    "arguments", [{}, {"expression": 1, "more": 2}, {"value": "x", "unit": "m", "to": "m"}]
)
async def test_arguments_are_checked(arguments: dict[str, object]) -> None:
    name = "convert" if "unit" in arguments else "calculate"
    with pytest.raises(ToolFailed, match=name):
        await TOOLS[name].call(Context(), arguments)


async def test_the_time_somewhere() -> None:
    assert re.fullmatch(
        r"\w+day, \d{4}-\d\d-\d\d .*\+0800\)", await call("now", zone="Asia/Shanghai")
    )
    with pytest.raises(ToolFailed):
        await call("now", zone="../etc/passwd")


async def test_search_in_the_conversation_and_in_files() -> None:
    turns = tuple(
        Turn(job=f"j{n}", user="u", user_name="Ada", prompt=prompt, answer="ok")
        for n, prompt in enumerate(["my cat is called Miau", "the weather is fine", "今天吃面条"])
    )
    files = {"a.txt": b"Tea is green.\n\nThe dog sleeps.", "b.txt": "猫在屋顶上".encode()}
    context = Context(turns=turns, files=files)
    assert "Miau" in await call("search_channel", context, words="cat name")
    assert "面条" in await call("search_channel", context, words="面")
    assert await call("search_channel", context, words="zebra") == "Nothing of that was said here."
    assert await call("search_files", context, words="dog") == "a.txt: The dog sleeps."
    assert "b.txt" in await call("search_files", context, words="猫")


def test_answers_of_searches_are_read_as_what_they_are() -> None:
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/1</id>'
        "<title>On\n cats</title><summary>Cats.</summary><published>2020-01-01</published>"
        "<author><name>A. Cat</name></author></entry></feed>"
    )
    assert papers(feed.encode()).startswith("On cats (A. Cat, 2020)\nhttp://arxiv.org/abs/1")
    for bad in (b"<html>", b'<!DOCTYPE x [<!ENTITY a "b">]><feed/>'):
        with pytest.raises(ToolFailed):
            papers(bad)
    found = {"results": [{"title": "Cats", "url": "https://c.example", "content": "meow"}]}
    assert pages(json.dumps(found).encode()) == "Cats\nhttps://c.example\nmeow"
    deep = b'{"results": [{"title": "a", "url": "b", "content": ' + b"[" * 100_000
    for odd in (b"<html>", b"[" * 200_000, deep, b"[]", b'{"results": 5}', b'{"results": [[]]}'):
        with pytest.raises(ToolFailed):
            pages(odd)


# --- pictures -------------------------------------------------------------------------------------


async def test_the_text_in_a_picture_is_read_by_its_name() -> None:
    context = Context(pictures={"door.png": written("Room 12"), "cut.png": written("x")[:100]})
    assert await call("read_picture", context, picture="door.png") == "Room 12"
    for name, why in (("no.png", "there are door.png, cut.png"), ("cut.png", "damaged")):
        with pytest.raises(ToolFailed, match=why):
            await call("read_picture", context, picture=name)
    with pytest.raises(ToolFailed, match="no picture was posted"):
        await call("read_picture", picture="door.png")
