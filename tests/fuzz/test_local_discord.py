"""Bodies that began as good ones: taken, or refused as Discord refuses, and never anything else."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.discord import message_validation
from playground.discord.commands import COMMAND
from playground.discord.components import MODAL, complete_components
from playground.discord.errors import DiscordError
from playground.discord.json_types import MessageFlag
from playground.discord.rest.http_io import parse_json
from playground.discord.schema import check_body_schema
from tests.playground.discord.test_validation import COMMANDS, FORMS, MESSAGES, TAKEN

JUNK: st.SearchStrategy[Any] = st.sampled_from(
    (None, True, 0, -1, 1.5, 2**70, "", "x", "\0", "\ud800", "x" * 5000, "1", [], {}, [None], [[]],
     {"type": 1}, {"id": {}}, {"type": []}, 1e308, float("inf"))
)  # fmt: skip
SEEDS: dict[str, list[Any]] = {
    "message": [b for b in (*TAKEN.values(), *MESSAGES.values()) if isinstance(b, dict)],
    "form": [form["data"] for form in FORMS.values()],
    "command": [b for b in COMMANDS.values() if isinstance(b, dict)],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


NAMES = sorted(
    {
        key
        for seeds in SEEDS.values()
        for seed in seeds
        for path in places(seed)
        for key in path
        if isinstance(key, str)
    }
)


@st.composite
def damaged(draw: st.DrawFn, kind: str) -> Any:
    body = copy.deepcopy(SEEDS[kind][draw(st.integers(0, len(SEEDS[kind]) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        found = [*places(body)][1:] or [("content",)]
        *path, last = found[draw(st.integers(0, len(found) - 1))]
        inside = body
        for key in path:
            inside = inside[key]
        inside[last] = copy.deepcopy(draw(JUNK))
        if isinstance(inside, dict):  # a member that belongs elsewhere, too
            inside[NAMES[draw(st.integers(0, len(NAMES) - 1))]] = copy.deepcopy(draw(JUNK))
    return body


def check_message(body: Any) -> None:
    message_validation.check_body(body, MessageFlag(0), ())
    message_validation.check_message(body, MessageFlag(body.get("flags") or 0), ())
    complete_components(body.get("components") or ())


def refusal(check: Callable[[Any], object], body: Any) -> DiscordError | None:
    try:
        check(body)
    except DiscordError as error:
        return error
    return None


CHECKS: dict[str, Callable[[Any], None]] = {
    "message": check_message,
    "form": lambda body: check_body_schema(MODAL, body),
    "command": lambda body: check_body_schema(COMMAND, body),
}


@pytest.mark.parametrize("kind", CHECKS)
@given(data=st.data())
def test_a_damaged_body_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    refused = refusal(CHECKS[kind], data.draw(damaged(kind)))
    assert refused is None or refused.status in (400, 413)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}":,\\u0dE-1 ', max_size=60))
def test_what_is_read_as_json_is_json(text: bytes | str) -> None:
    refused = refusal(parse_json, text)
    assert refused is None or refused.code == 50109
